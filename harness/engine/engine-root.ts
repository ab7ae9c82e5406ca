/**
 * The root of a container engine on a node: a separate mount namespace. In it, the engine's programs see only the
 * machine's devices, /proc, /sys and named network namespaces. Their files are on tmpfs and are removed with it. They
 * cannot write to the machine's files, cgroups and security policies.
 */
import { MacvlabError } from '../core/error.js';
import { Changes, pause, within } from '../core/wait.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { RemoteProcess } from '../remote/process.js';
import { EngineRefusal } from './refusal.js';

/**
 * Runs in a new mount namespace. Only changes in /run/netns are visible outside, where names of network namespaces are
 * mounted.
 *
 * An engine here must never `exec` in a container: below a chroot, docker 26 with crun entered the machine's real root
 * instead. Commands for a container run in its network namespace, from outside.
 */
const script = `
set -e
mkdir -p /run/netns
cd "$1"
shift
mount --bind . .
cd "$PWD"
mount -o remount,bind,ro .
for each in dev proc sys; do mount --rbind /$each $each; done
mkdir -p dev/shm
for each in dev/shm etc/containers/networks run tmp var; do mount -t tmpfs -o mode=0755 tmpfs $each; done
mkdir -p run/netns run/lock var/tmp var/lib/cni
ln -s /run var/run
mount --rbind /run/netns run/netns
# an empty hierarchy would do; this one cannot be written to
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -o remount,bind,ro sys/fs/cgroup
[ ! -d sys/kernel/security ] || mount -t tmpfs tmpfs sys/kernel/security
exec chroot . "$@"`;

/** Milliseconds; a Go program of 90 MB starts slowly on an emulated CPU. */
const startDeadline = 120_000;
const endDeadline = 30_000;
/** Milliseconds for one command of an engine. */
const commandDeadline = 120_000;
/** The stored output of a process, in characters. */
const keptWords = 16_384;

/** The stack of a node, for commands that run in the engine's root. */
class RootedStack extends NetworkStack {
  readonly #pid: number;

  constructor(node: NetworkStack, pid: number) {
    super(node.name, node.session, node.log);
    this.#pid = pid;
  }

  override enter(argv: readonly string[]): string[] {
    return ['nsenter', '--target', String(this.#pid), '--mount', '--root', '--wd', '--', ...argv];
  }
}

/** The errors of docker's client without its daemon, and of nsenter without the process whose root it enters. */
const withoutEngine = /Cannot connect to the Docker daemon|error during connect|^nsenter: /m;
/** Milliseconds for the end of the engine's process to be reported after a command that it made fail. */
const gracePeriod = 200;

export class EngineRoot {
  readonly #node: NetworkStack;
  readonly #stack: NetworkStack;
  readonly #program: string;
  readonly #process: RemoteProcess;
  readonly #changes = new Changes();
  #words = '';
  #gone: MacvlabError | undefined;

  private constructor(node: NetworkStack, program: string, process: RemoteProcess) {
    this.#node = node;
    this.#program = program;
    this.#process = process;
    this.#stack = new RootedStack(node, process.pid);
    for (const stream of [process.stdout, process.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#words = (this.#words + text).slice(-keptWords);
        this.#changes.notify();
      });
    process.ended.then(
      ({ status, signal }) => this.#changes.fail((this.#gone = this.#deathCause(signal ?? `status ${status}`))),
      (error: unknown) => this.#changes.fail(error),
    );
  }

  /**
   * Creates a root, and starts the process that keeps it.
   * @param node a stack that its session is in
   * @param tree the folder on the node's machine with the engines' programs
   * @param said the text that the process prints when it is ready
   * @throws MacvlabError ENGINE_MISSING with its last output when it ends before that; WAIT_DEADLINE
   */
  static async start(node: NetworkStack, tree: string, argv: readonly string[], said: RegExp): Promise<EngineRoot> {
    if (node.namespace !== undefined) throw new TypeError(`${node.name}: an engine needs a session of its node`);
    const make = ['unshare', '--mount', '--propagation', 'slave', '--', 'sh', '-c', script, 'engine', tree];
    const process = await node.start([...make, ...argv], 'engine');
    const root = new EngineRoot(node, argv[0] ?? '', process);
    try {
      await root.#changes.until(() => said.test(root.#words) || undefined, {
        what: `${argv[0]} on ${node.name} to be ready`,
        deadline: node.timeout(startDeadline),
        evidence: () => root.#words,
      });
      return root;
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  /**
   * Creates a root for programs that need no daemon.
   * @throws as {@link start}
   */
  static async idle(node: NetworkStack, tree: string): Promise<EngineRoot> {
    return EngineRoot.start(node, tree, ['sh', '-c', 'echo ready; exec sleep 2147483647'], /^ready$/m);
  }

  /** Whether its process has ended. */
  get isGone(): boolean {
    return this.#gone !== undefined;
  }

  /** The name of the node. */
  get node(): string {
    return this.#node.name;
  }

  /**
   * Runs a command in the root.
   * @returns its standard output
   * @throws EngineRefusal with its message when it fails; MacvlabError ENGINE_MISSING when the engine is gone
   */
  async perform(argv: readonly string[], stdin?: string | Uint8Array): Promise<string> {
    return this.#run(argv, 'engine', stdin);
  }

  /** Runs a command that changes nothing. @throws as {@link perform} */
  async ask(argv: readonly string[]): Promise<string> {
    return this.#run(argv, 'reading');
  }

  /** Ends its process, and so the root. */
  async close(): Promise<void> {
    if (this.#gone) return;
    const { session } = this.#node;
    const { ended } = this.#process;
    const deadline = session.timeout(endDeadline);
    await session.signal('TERM', [this.#process]);
    try {
      await within(ended, { what: `${this.#program} on ${this.node} to end`, deadline });
    } catch {
      await session.signal('KILL', [this.#process]);
      await within(ended, { what: `${this.#program} on ${this.node}, killed, to end`, deadline });
    }
  }

  async #run(argv: readonly string[], kind: 'engine' | 'reading', stdin?: string | Uint8Array): Promise<string> {
    this.#refuseGone();
    const given = stdin === undefined ? {} : { stdin };
    const { status, stdout, stderr } = await this.#stack.run(argv, kind, { ...given, deadline: commandDeadline });
    if (status === 0) return stdout;
    if (withoutEngine.test(stderr)) await pause(gracePeriod, this.#process.ended);
    this.#refuseGone();
    throw new EngineRefusal(`${this.node}: ${argv.slice(0, 3).join(' ')}`, argv, stderr.trim() || stdout.trim());
  }

  #refuseGone(): void {
    if (this.#gone) throw this.#gone;
  }

  #deathCause(how: string): MacvlabError {
    return new MacvlabError(
      'ENGINE_MISSING',
      `the container engine ${this.#program} has ended on ${this.node}: ${how}`,
      {
        evidence: this.#words.trimEnd().split('\n').slice(-20).join('\n'),
        next: 'look at its last words in the evidence; the lab’s machine may lack cgroup2, or be out of memory',
      },
    );
  }
}
