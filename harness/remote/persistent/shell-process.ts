/** A long-lived shell that runs one command at a time. A command costs one process, without a channel and a shell. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { RemoteProcess } from '../process.js';
import { quoteCommand } from '../quote.js';
import { mostOutput, type Outcome, Printed, type RunningCommand, TooMuchOutput } from './running-command.js';

/** The command that starts a shell in a network namespace. */
export function shellCommand(namespace: string | undefined): readonly string[] {
  return [...(namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--']), 'sh'];
}

/** A command in a shell, with its process id. */
export interface ShellCommand extends RunningCommand {
  /** Settles when it has begun; 0 when it never began. */
  readonly pid: Promise<number>;
}

interface Current {
  mark: string;
  stdout: Printed;
  stderr: Printed;
  pid: number;
  /** Whether the mark has ended a stream. */
  ended: { stdout: boolean; stderr: boolean };
  begun: (pid: number) => void;
  resolve: (outcome: Outcome | undefined) => void;
  reject: (error: unknown) => void;
  refuse: (error: TooMuchOutput) => void;
}

export class ShellProcess {
  readonly #process: RemoteProcess;
  readonly #mark = `--${randomBytes(9).toString('base64url')}`;
  #count = 0;
  #current: Current | undefined;
  #hasEnded = false;

  constructor(process: RemoteProcess) {
    this.#process = process;
    process.stdin.on('error', () => undefined);
    const take = (stream: Readable, name: 'stdout' | 'stderr') => {
      stream.setEncoding('utf8').on('data', (text: string) => this.#take(name, text));
    };
    take(process.stdout, 'stdout');
    take(process.stderr, 'stderr');
    process.ended.then(
      (exit) =>
        this.#close((current) => current.resolve(current.pid > 0 ? { ...exit, ...outputOf(current) } : undefined)),
      (error: unknown) => this.#close((current) => current.reject(error)),
    );
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * Runs a command in the foreground of a subshell, which it replaces: in the background, it would ignore SIGINT (POSIX
   * 2.11). The subshell reads its process id, which `$$` does not have (proc(5), /proc/self).
   */
  run(argv: readonly string[]): ShellCommand {
    return this.#send((mark) => [
      `(read -r p _ </proc/self/stat; printf '\\n%s %s\\n' ${mark} $p >&2; exec ${quoteCommand(argv)}) </dev/null`,
    ]);
  }

  /** Sends a signal with the shell's own kill, which starts no process. Processes that have ended are no error. */
  kill(signal: string, pids: readonly number[]): ShellCommand {
    return this.#send((mark) => [
      `printf '\\n%s %s\\n' ${mark} $$ >&2`,
      `kill -${signal} ${pids.join(' ')} 2>/dev/null`,
    ]);
  }

  /** Requests its end. @returns settles when it has ended */
  async end(): Promise<void> {
    if (!this.#hasEnded) this.#process.stdin.end();
    await this.#process.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#process.pid;
  }

  #send(script: (mark: string) => string[]): ShellCommand {
    const mark = `${this.#mark}.${++this.#count}--`;
    let [begun, refuse]: [Current['begun'], Current['refuse']] = [() => undefined, () => undefined];
    const pid = new Promise<number>((resolve) => (begun = resolve));
    const tooMuch = new Promise<never>((_, reject) => (refuse = reject));
    tooMuch.catch(() => undefined);
    const ended = new Promise<Outcome | undefined>((resolve, reject) => {
      this.#current = {
        ...{ mark, stdout: new Printed(), stderr: new Printed(), pid: 0, ended: { stdout: false, stderr: false } },
        ...{ begun, resolve, reject, refuse },
      };
    });
    const current = this.#current;
    ended.catch(() => undefined).finally(() => begun(0));
    const lines = [...script(mark), `printf '\\n%s %s\\n' ${mark} $?; printf '\\n%s\\n' ${mark} >&2`];
    if (this.#hasEnded) this.#close((own) => own.resolve(undefined));
    else this.#process.stdin.write(`${lines.join('\n')}\n`);
    return {
      ended,
      tooMuch,
      pid,
      printed: () => (current ? Object.values(outputOf(current)).join('') : ''),
      pids: () => [current?.pid ?? 0, this.#process.pid],
    };
  }

  #close(how: (current: Current) => void): void {
    this.#hasEnded = true;
    const current = this.#current;
    this.#current = undefined;
    if (current) how(current);
  }

  #take(stream: 'stdout' | 'stderr', text: string): void {
    const current = this.#current;
    if (!current) return;
    const searched = current[stream].add(text);
    if (stream === 'stderr' && current.pid === 0) readPid(current, searched);
    current.ended[stream] ||= endOf[stream](current.mark).test(searched);
    if (current.stdout.length + current.stderr.length > mostOutput) {
      current.refuse(new TooMuchOutput(Object.values(outputOf(current)).join('')));
      this.#current = undefined;
    } else if (current.ended.stdout && current.ended.stderr) {
      this.#current = undefined;
      const { stdout, stderr } = outputOf(current);
      const status = Number(endOf.stdout(current.mark).exec(current.stdout.text())?.[1]);
      current.resolve({ ...exitOf(status), stdout, stderr });
    }
  }
}

/** Takes the command's process id from its error output. */
function readPid(current: Current, searched: string): void {
  const found = pidOf(current.mark).exec(searched);
  if (!found) return;
  current.pid = Number(found[1]);
  current.begun(current.pid);
}

/** What the shell prints on a stream after a command: its status, or only the mark. */
const endOf = {
  stdout: (mark: string) => new RegExp(`\n${mark} (\\d{1,3})\n$`),
  stderr: (mark: string) => new RegExp(`\n${mark}\n$`),
};
const pidOf = (mark: string) => new RegExp(`\n${mark} (\\d+)\n`);

/** The command's own output. */
function outputOf({ mark, stdout, stderr }: Current): Pick<Outcome, 'stdout' | 'stderr'> {
  return {
    stdout: stdout.text().replace(endOf.stdout(mark), ''),
    stderr: stderr.text().replace(pidOf(mark), '').replace(endOf.stderr(mark), ''),
  };
}

const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name.replace(/^SIG/, '')]));

/** A shell's status as an exit: 128 + n is signal n (POSIX 2.8.2). */
function exitOf(status: number): Pick<Outcome, 'status' | 'signal'> {
  const signal = status > 128 ? names.get(status - 128) : undefined;
  return signal === undefined ? { status, signal: null } : { status: null, signal };
}
