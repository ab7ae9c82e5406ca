/**
 * The long-lived processes of a session: for each network namespace, an `ip`, a `bridge` and shells, started when they
 * are first used. They run commands that would otherwise each need a channel and a process. They end with the session,
 * or before their namespace is deleted, because a process keeps a namespace alive.
 *
 * If others delete a namespace and create one with the same name, this session's processes are in the old one.
 */
import { within } from '../../core/wait.js';
import type { RemoteProcess, RemoteSignal } from '../process.js';
import { type Line, LineProcess, lineOf, makesNamesInvalid, missingLink, readerCommand } from './line-process.js';
import type { Outcome, RunningCommand } from './running-command.js';
import { ShellProcess, shellCommand } from './shell-process.js';
import { Turns } from './turns.js';

/** What the processes need from their session. */
export interface ProcessHost {
  /** Starts a long-lived process. @param merged whether its error output goes to its output */
  start(argv: readonly string[], merged: boolean): Promise<RemoteProcess>;
  /** Waits for the end of a command, and kills its processes when it does not end or prints too much. */
  conclude(argv: readonly string[], running: RunningCommand, limits: CommandLimits): Promise<Outcome | undefined>;
  /** Kills processes that do not end by themselves. */
  kill(pids: readonly number[]): Promise<unknown>;
  /** Notes that a process starts. */
  count(argv: readonly string[]): void;
  timeout(milliseconds: number): number;
}

/** When a command must end. */
export interface CommandLimits {
  /** Milliseconds from its start. */
  deadline?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A command that runs, and can be signalled. */
export interface Launched {
  /** Process id on its machine; 0 when it has ended already. */
  pid: number;
  ended: Promise<Outcome>;
}

/**
 * Programs that run to their end and leave nothing running, so that a shell can run them one after the other. They end
 * with statuses below 129, so that the shell's status shows which were killed.
 */
const shortPrograms = new Set(['arping', 'cat', 'grep', 'ip', 'bridge', 'ping', 'sysctl', 'uname']);

/** Milliseconds for an idle process to end after its input has ended. */
const endDeadline = 5000;

interface Reader {
  turns: Turns;
  process: LineProcess | undefined;
}

/** The processes in one network namespace. */
class Place {
  readonly readers = new Map<string, Reader>();
  /** Shells that run no command. */
  readonly idle: ShellProcess[] = [];
  hasEnded = false;

  readerOf(program: string): Reader {
    const known = this.readers.get(program);
    if (known) return known;
    const reader = { turns: new Turns(), process: undefined };
    this.readers.set(program, reader);
    return reader;
  }

  /** Removes the processes that no command uses. */
  takeIdle(): (LineProcess | ShellProcess)[] {
    const readers = [...this.readers.values()].filter(({ turns }) => !turns.isBusy);
    return [...this.idle.splice(0), ...readers.flatMap(takeProcess)];
  }
}

function takeProcess(reader: Reader): LineProcess[] {
  const { process } = reader;
  reader.process = undefined;
  return process ? [process] : [];
}

export class PersistentProcesses {
  readonly #host: ProcessHost;
  /** By namespace; undefined for the session's own. */
  readonly #places = new Map<string | undefined, Place>();
  /** Programs without a usable long-lived form on this machine. */
  readonly #unusable = new Set<string>();
  /** The last {@link endIdle}: one serves all callers that need a channel at the same time. */
  #freeing: Promise<boolean> | undefined;

  constructor(host: ProcessHost) {
    this.#host = host;
  }

  /** Whether a command runs to its end and leaves nothing running. */
  static isShort(argv: readonly string[]): boolean {
    return shortPrograms.has(placeOf(argv).argv[0] ?? '');
  }

  /** Runs a command in a long-lived process. @returns undefined when no such process can run it */
  async run(argv: readonly string[], limits: CommandLimits): Promise<Outcome | undefined> {
    await this.leaveDeleted(argv);
    const line = lineOf(argv);
    if (line) {
      const outcome = await this.#runLine(argv, line, limits);
      if (outcome && (outcome.status === 0 || !missingLink.test(outcome.stderr))) return outcome;
      // The process may remember a link that another process has replaced.
      if (outcome) this.#forgetNamesIn(this.#placeOf(line.namespace));
    } else this.changedElsewhere(argv);
    return this.#runInShell(argv, limits);
  }

  /** Starts a command in a shell. @returns undefined when it has not started */
  async launch(argv: readonly string[]): Promise<Launched | undefined> {
    const { place, shell, own } = await this.#takeShell(argv);
    if (!shell) return undefined;
    this.#host.count(argv);
    const command = shell.run(own);
    const ended = this.#released(place, shell, Promise.race([command.ended, command.tooMuch]));
    ended.catch(async () => this.#host.kill(command.pids())).catch(() => undefined);
    const pid = await command.pid;
    if (pid === 0 && (await ended) === undefined) return undefined;
    return { pid, ended: ended.then((outcome) => outcome ?? { status: null, signal: null, stdout: '', stderr: '' }) };
  }

  /** Sends a signal to processes. @returns whether it was sent */
  async signal(name: RemoteSignal, pids: readonly number[]): Promise<boolean> {
    const argv = ['kill', `-${name}`, ...pids.map(String)];
    const { place, shell } = await this.#takeShell(argv);
    if (!shell) return false;
    const command = shell.kill(name, pids);
    const outcome = await this.#released(place, shell, this.#host.conclude(argv, command, {}));
    return outcome !== undefined;
  }

  /** Before a namespace is deleted, ends the processes that would keep it alive. */
  async leaveDeleted(argv: readonly string[]): Promise<void> {
    const name = deletedBy(argv);
    const place = name === undefined ? undefined : this.#places.get(name);
    if (!place) return;
    this.#places.delete(name);
    place.hasEnded = true;
    // Those that a command uses end after it.
    await this.#end([...place.idle.splice(0), ...[...place.readers.values()].flatMap(takeProcess)]);
  }

  /** Notes a command that this session runs outside these processes: it may change links that they remember. */
  changedElsewhere(argv: readonly string[]): void {
    if (mayReplaceLinks.test(argv.join(' '))) for (const place of this.#places.values()) this.#forgetNamesIn(place);
  }

  /** Ends the processes that no command uses, to free their channels. @returns whether there were any */
  async endIdle(): Promise<boolean> {
    const idle = [...this.#places.values()].flatMap((place) => place.takeIdle());
    if (idle.length === 0) return (await this.#freeing) ?? false;
    const freeing = this.#end(idle).then(() => true);
    this.#freeing = freeing;
    await freeing.finally(() => {
      if (this.#freeing === freeing) this.#freeing = undefined;
    });
    return true;
  }

  async #runLine(argv: readonly string[], line: Line, limits: CommandLimits): Promise<Outcome | undefined> {
    const { program, namespace } = line;
    if (this.#unusable.has(program)) return undefined;
    const place = this.#placeOf(namespace);
    const reader = place.readerOf(program);
    return reader.turns.take(async () => {
      if (reader.process?.hasEnded) reader.process = undefined;
      reader.process ??= new LineProcess(await this.#host.start(readerCommand(program, namespace), true), program);
      const { process } = reader;
      let outcome: Outcome | undefined;
      try {
        outcome = await this.#host.conclude(argv, process.run(line), limits);
        if (outcome === undefined && process.isMissing) this.#unusable.add(program);
      } catch (error) {
        reader.process = undefined;
        throw error;
      }
      // Also a process whose namespace has been deleted meanwhile.
      if (makesNamesInvalid(line) || place.hasEnded) void this.#end(takeProcess(reader)).catch(() => undefined);
      return outcome;
    }, limits.signal);
  }

  async #runInShell(argv: readonly string[], limits: CommandLimits): Promise<Outcome | undefined> {
    const { place, shell, own } = await this.#takeShell(argv);
    if (!shell) return undefined;
    this.#host.count(argv);
    return this.#released(place, shell, this.#host.conclude(argv, shell.run(own), limits));
  }

  /** An idle shell in the namespace of a command; none when it cannot be started. */
  async #takeShell(
    argv: readonly string[],
  ): Promise<{ place: Place; shell: ShellProcess | undefined; own: readonly string[] }> {
    const { namespace, argv: own } = placeOf(argv);
    const place = this.#placeOf(namespace);
    if (!this.#unusable.has('sh')) {
      for (let shell = place.idle.pop(); shell; shell = place.idle.pop())
        if (!shell.hasEnded) return { place, shell, own };
      const shell = new ShellProcess(await this.#host.start(shellCommand(namespace), false));
      return { place, shell, own };
    }
    return { place, shell: undefined, own };
  }

  /** Returns a shell after its command. A command that failed was killed together with its shell. */
  async #released<T>(place: Place, shell: ShellProcess, command: Promise<T>): Promise<T> {
    const result = await command;
    if (place.hasEnded) await this.#end([shell]);
    else if (!shell.hasEnded) place.idle.push(shell);
    return result;
  }

  /** Replaces the processes that remember links; a current line still ends. */
  #forgetNamesIn({ readers }: Place): void {
    for (const reader of readers.values()) void this.#end(takeProcess(reader)).catch(() => undefined);
  }

  #placeOf(namespace: string | undefined): Place {
    const known = this.#places.get(namespace);
    if (known) return known;
    const place = new Place();
    this.#places.set(namespace, place);
    return place;
  }

  async #end(processes: readonly (LineProcess | ShellProcess)[]): Promise<void> {
    await Promise.all(
      processes.map(async (process) => {
        const deadline = this.#host.timeout(endDeadline);
        const ended = process.end();
        await within(ended, { what: 'a shell to end', deadline }).catch(async () => this.#host.kill([process.pid]));
      }),
    );
  }
}

/** A command that may delete, rename or move a link: one for a link, one with lines for ip. */
const mayReplaceLinks = /\blink (delete|del)\b|\blink set\b.*\b(name|netns)\b|\bbatch\b/s;

/** The namespace that a command deletes. */
function deletedBy(argv: readonly string[]): string | undefined {
  const at = argv.indexOf('netns');
  const isDeletion = argv[0] === 'ip' && at > 0 && /^del(ete)?$/.test(argv[at + 1] ?? '');
  return isDeletion ? argv[at + 2] : undefined;
}

const entering = /^--net=\/run\/netns\/(.+)$/;

/**
 * The namespace whose shell runs a command, and the command there. Only a short program runs in a shell inside a
 * namespace: others may depend on the parent process outside it (link/namespace.ts, moveLink).
 */
function placeOf(argv: readonly string[]): { namespace: string | undefined; argv: readonly string[] } {
  const namespace = argv[0] === 'nsenter' && argv[2] === '--' ? entering.exec(argv[1] ?? '')?.[1] : undefined;
  if (namespace === undefined || !shortPrograms.has(argv[3] ?? '')) return { namespace: undefined, argv };
  return { namespace, argv: argv.slice(3) };
}
