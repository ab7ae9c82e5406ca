/** Injects a fault into the sessions of a lab. The users of the sessions do not notice. */
import { messageOf } from '../../core/error.js';
import type { BatchCommand } from '../../remote/batch.js';
import type { Session } from '../../remote/session.js';
import { jump } from './clock.js';
import { fill } from './fill.js';
import type { Injection, Fault } from './fault.js';

type Way<W extends Injection['way']> = Extract<Injection, { way: W }>;
type OnCommand = Extract<Injection, { command: RegExp }>;
type Perform = (script: string, fatal?: boolean) => Promise<void>;

/** A function for every script: it runs a command in the network stack of a node or an endpoint. */
const preamble = 'set -e\nin_stack() { stack=$1; shift; nsenter --net=/run/netns/"$stack" -- "$@"; }\n';

/** The folder on the machine for the files of a replaced program. */
const folder = '/run/macvlab';

export class FaultInjector {
  /** Injections that have not taken effect so far. A fault that never takes effect proves nothing. */
  readonly pending: Set<Injection>;
  /** Why an injection could not be made. */
  trouble: string | undefined;
  readonly #injections: readonly Injection[];
  readonly #out: string;
  readonly #sessions = new Set<Session>();
  #perform: Perform | undefined;
  #session: Pick<Session, 'run'> | undefined;

  /** @param out folder to which the run writes */
  constructor({ injections }: Pick<Fault, 'injections'>, out: string) {
    this.#injections = injections;
    this.#out = out;
    // The launcher makes the full disk (faulty-run.ts).
    this.pending = new Set(injections.filter(({ way }) => way !== 'disk'));
  }

  /** Lets the injections on commands act on a session. */
  arm(session: Session): void {
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    const [run, batch] = [session.run.bind(session), session.batch.bind(session)];
    const [start, launch] = [session.start.bind(session), session.launch.bind(session)];
    const here: Perform = async (script, fatal = false) => {
      const result = await run(['sh', '-c', preamble + script]).catch((error: unknown) => {
        // A script that ends its own session has done its work.
        if (!fatal) this.trouble ??= messageOf(error);
      });
      if (result && result.status !== 0) this.trouble ??= result.stderr.trim() || `status ${result.status}`;
    };
    this.#session ??= { run };
    this.#perform ??= here;
    session.run = async (argv, options) => {
      const result = await run(this.#rewritten(argv), options);
      await this.#behind([argv], here);
      return result;
    };
    session.start = async (argv) => {
      const process = await start(this.#rewritten(argv));
      await this.#behind([argv], here);
      return process;
    };
    session.launch = async (argv) => {
      const launched = await launch(this.#rewritten(argv));
      await this.#behind([argv], here);
      return launched;
    };
    session.batch = async (commands, options) => {
      const rewritten = commands.map((command): BatchCommand => ({ ...command, argv: this.#rewritten(command.argv) }));
      const results = await batch(rewritten, options);
      await this.#behind(
        commands.map(({ argv }) => argv),
        here,
      );
      return results;
    };
  }

  /** Makes the injections for a lab whose wiring has just ended. */
  async wired(): Promise<void> {
    for (const injection of this.#injections) {
      if (injection.way === 'wired') await this.#make(injection);
      // The injection takes effect when the replaced program runs.
      if (injection.way === 'tool') await this.#perform?.(replacement(injection));
    }
  }

  /** Checks which of the replaced programs were used. The caller calls it right before the lab ends. */
  async lookBehind(): Promise<void> {
    for (const injection of this.pending) {
      if (injection.way !== 'tool') continue;
      const found = await this.#session?.run(['test', '-e', usedFile(injection)]).catch(() => undefined);
      if (found?.status === 0) this.pending.delete(injection);
    }
  }

  #rewritten(argv: readonly string[]): readonly string[] {
    return this.#matching('rewrite', argv).reduce((words, injection) => {
      const changed = injection.to(words);
      if (changed.join('\0') !== words.join('\0')) this.pending.delete(injection);
      return changed;
    }, argv);
  }

  async #behind(commands: readonly (readonly string[])[], here: (script: string) => Promise<void>): Promise<void> {
    for (const argv of commands) {
      for (const injection of this.#matching('behind', argv))
        await this.#make(injection, injection.there ? here : undefined);
      for (const injection of this.#matching('clock', argv)) {
        const isFirst = this.pending.delete(injection);
        if (isFirst || injection.after === 'each') jump(injection.milliseconds, this.#sessions);
      }
      for (const injection of this.#matching('full', argv)) {
        if (this.pending.delete(injection)) fill(this.#out, injection.of);
      }
    }
  }

  #matching<W extends OnCommand['way']>(way: W, argv: readonly string[]): Way<W>[] {
    const line = argv.join(' ');
    const onCommand = this.#injections.filter((injection): injection is OnCommand => 'command' in injection);
    return onCommand.filter((injection): injection is Way<W> => injection.way === way && injection.command.test(line));
  }

  async #make(injection: Way<'wired' | 'behind'>, perform = this.#perform): Promise<void> {
    this.pending.delete(injection);
    await perform?.(injection.script, 'fatal' in injection);
  }
}

/** The file that a replaced program creates when it is used for more than its version. */
function usedFile({ program }: Way<'tool'>): string {
  return `${folder}/used-${program}`;
}

/** A script that replaces a program by another one, in the machine's own mounts, which end with the machine. */
function replacement(injection: Way<'tool'>): string {
  const { program, script } = injection;
  const [real, fake] = [`${folder}/real-${program}`, `${folder}/fake-${program}`];
  return `
program=$(command -v ${program})
cp "$program" ${real}
cat >${fake} <<'END OF SCRIPT'
#!/bin/sh
real=${real}
case "$1" in -V | --version) ;; *) : >${usedFile(injection)} ;; esac
${script}
END OF SCRIPT
chmod 755 ${fake}
mount --bind ${fake} "$program"`;
}
