/** An SSH session with one machine: pinned host key, many channels, commands as argument lists. */
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import ssh2, { type Client, type ClientChannel, type SFTPWrapper } from 'ssh2';
import { MacvlabError, messageOf } from '../core/error.js';
import { timeout, pause, within } from '../core/wait.js';
import { type BatchCommand, type BatchResult, batchScript } from './batch.js';
import { sameClock } from './clock-offset.js';
import { type ClockOffset } from './clock-offset.js';
import { keyBlob } from './keys.js';
import { type CommandLimits, type Launched, PersistentProcesses } from './persistent/persistent-processes.js';
import { mostOutput, type Outcome, type RunningCommand, TooMuchOutput } from './persistent/running-command.js';
import { type Exit, RemoteProcess, type RemoteSignal } from './process.js';
import { quoteCommand } from './quote.js';
import type { Translation } from './translation.js';
import type { UndoJournal } from './undo-journal.js';

export interface SessionOptions {
  /** The machine's name in errors: "node1". */
  name: string;
  /** A stream to an sshd: its standard input and output, a serial port, a tunnel. */
  transport: Duplex;
  user: string;
  /** OpenSSH private key. */
  privateKey: string;
  /** The only accepted host key, as a public key line. */
  hostKey: string;
  /** Milliseconds until the end of the handshake; default 20 s. Multiplied as by {@link Session.timeout}. */
  deadline?: number;
  /** The factor by which the machine is slower than usual; default 1. */
  slowness?: number;
  /** The last output of the program that carries the transport, for errors: sshd's standard error. */
  stderrTail?: () => string;
  /** Settles when the program that carries the transport has ended and its last output has arrived. */
  carrier?: Promise<unknown>;
  /**
   * Whether each command gets a process and a channel of its own: on external hosts, where others change links too, where
   * iproute2 is of any version, and where a command may end the connection before the next one is sent.
   */
  separateProcesses?: boolean;
  /** Why the machine itself is gone, where a better reason than the end of the connection is known. */
  deathCause?: () => MacvlabError | undefined;
}

/** Milliseconds for the last output to arrive after the end of the transport. */
const stderrTailGrace = 100;
/** Milliseconds for a transport to close after its other side has ended it. */
const closeGrace = 1000;
/** Milliseconds for a request to sshd itself: a channel, the end of a process. */
const requestDeadline = 30_000;
const killDeadline = 5000;
/** Milliseconds that sshd may take to free a channel. */
const longestFreeing = 200;
/** Milliseconds for a command, unless its caller says otherwise. */
const commandDeadline = 30_000;
/** Milliseconds for a file. */
const copyDeadline = 120_000;

/** A command that has ended. A status other than 0 is data, not an error. */
export interface CommandResult extends Exit {
  argv: readonly string[];
  stdout: string;
  stderr: string;
  /** Milliseconds from the request to the end. */
  duration: number;
}

export interface RunOptions {
  /** Sent to the command's standard input, which is then closed; by default it is empty. */
  stdin?: string | Uint8Array;
  /** Milliseconds; default 30 s. The command is then killed. */
  deadline?: number;
  signal?: AbortSignal;
}

/** An open SSH session. */
export class Session {
  readonly name: string;
  /** See {@link SessionOptions.slowness}. */
  readonly slowness: number;
  /** Its machine's clock compared with the local clock; {@link sameClock} unless it was measured. */
  clock: ClockOffset = sameClock;
  /** Present where the session is in a network that outlives the lab. Code that changes that network records the undo. */
  journal?: UndoJournal;
  /** Present where suites' addresses are translated on this machine. */
  translation?: Translation | undefined;
  readonly #client: Client;
  /** Signals that are about to be sent. */
  readonly #signals = new Map<RemoteSignal, { pids: number[]; sent: Promise<void> }>();
  readonly #death = new AbortController();
  readonly #stderrTail: () => string;
  readonly #carrier: Promise<unknown> | undefined;
  readonly #deathCause: () => MacvlabError | undefined;
  readonly #persistent: PersistentProcesses | undefined;
  readonly #started = new Map<string, number>();
  #transport: Duplex | undefined;
  #closing = false;
  #dying: Promise<void> | undefined;

  private constructor(options: SessionOptions, client: Client) {
    this.name = options.name;
    this.slowness = options.slowness ?? 1;
    this.#client = client;
    this.#stderrTail = options.stderrTail ?? (() => '');
    this.#carrier = options.carrier;
    this.#deathCause = options.deathCause ?? (() => undefined);
    if (options.separateProcesses) return;
    this.#persistent = new PersistentProcesses({
      start: async (argv, merged) =>
        this.#start(argv, `exec ${quoteCommand(argv)}${merged ? ' 2>&1' : ''}`, this.timeout(requestDeadline)),
      conclude: async (argv, running, limits) => this.#conclude(argv, running, limits),
      kill: async (pids) => this.#kill(pids),
      count: (argv) => this.#count(argv),
      timeout: (milliseconds) => this.timeout(milliseconds),
    });
  }

  /**
   * Opens a session.
   * @throws MacvlabError REMOTE_CONNECT when there is no sshd, the host key differs or the user is refused; the
   *   deathCause when its machine is gone
   */
  static async open(options: SessionOptions): Promise<Session> {
    const client = new ssh2.Client();
    const session = new Session(options, client);
    const pinned = keyBlob(options.hostKey);
    let presented: Buffer | undefined;
    let failure: Error | undefined;
    client.on('error', (error: Error) => (failure ??= error));
    client.on('close', () => {
      session.#dying ??= session.#die(failure);
    });
    const { transport } = options;
    session.#transport = transport;
    const ready = new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('the connection was closed during the handshake')));
    });
    client.connect({
      sock: transport,
      username: options.user,
      privateKey: options.privateKey,
      // No attempt without a key first: sshd delays a refusal by 5 to 9 ms (auth2.c, user_specific_delay).
      authHandler: ['publickey'],
      readyTimeout: 0,
      hostVerifier: (key: Buffer) => {
        presented = key;
        return key.length === pinned.length && timingSafeEqual(key, pinned);
      },
      algorithms: { kex: ['curve25519-sha256'], cipher: ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'] },
    });
    try {
      await within(ready, {
        what: `the SSH handshake with ${options.name}`,
        deadline: session.timeout(options.deadline ?? 20_000),
      });
    } catch (error) {
      session.close();
      await session.#carrierEnded();
      const known = options.deathCause?.();
      if (known) throw known;
      const wrongKey = presented && !presented.equals(pinned);
      throw new MacvlabError(
        'REMOTE_CONNECT',
        `no SSH session with ${options.name}: ${wrongKey ? 'it presented another host key than the pinned one' : messageOf(error)}`,
        {
          evidence: session.#stderrTail(),
          next: wrongKey
            ? 'find out who answers there; macvlab never accepts an unknown host key'
            : 'run `macvlab doctor`; sshd must be installed and must allow the lab’s key',
          cause: error,
        },
      );
    }
    return session;
  }

  /** Aborts, with REMOTE_DEAD as its reason, as soon as the session has ended, also by `close`. */
  get death(): AbortSignal {
    return this.#death.signal;
  }

  /** The deadline in milliseconds for an action of its machine: multiplied by the user's timeout factor, and by the machine's slowness. */
  timeout(milliseconds: number): number {
    return timeout(milliseconds) * this.slowness;
  }

  /** The processes that this session has started, by program: what its work costs. */
  get started(): ReadonlyMap<string, number> {
    return this.#started;
  }

  /**
   * Starts a command. The caller reads its streams, and has to translate them where there is a {@link translation}. The
   * program replaces the remote shell, so that signals reach it.
   * @throws MacvlabError REMOTE_DEAD; REMOTE_COMMAND when sshd opens no more channels; REMOTE_DEADLINE when it does not
   *   answer
   */
  async start(argv: readonly string[]): Promise<RemoteProcess> {
    const sent = this.#sent(argv);
    return this.#start(sent, `exec ${quoteCommand(sent)}`, this.timeout(requestDeadline));
  }

  /**
   * Starts a command whose output matters only after its end, so that it needs no channel of its own. It can be
   * signalled, and ends without a deadline.
   * @throws as `start`; REMOTE_COMMAND when its output is too long
   */
  async launch(argv: readonly string[]): Promise<{ pid: number; ended: Promise<CommandResult> }> {
    const sent = this.#sent(argv);
    const began = performance.now();
    const launched = (await this.#persistent?.launch(sent)) ?? (await this.#launchInChannel(sent));
    const ended = launched.ended.then(
      (outcome) => this.#received({ argv: sent, ...outcome, duration: performance.now() - began }),
      (error: unknown) => {
        throw error instanceof TooMuchOutput ? this.#endless(sent, error.beginning) : (error as Error);
      },
    );
    ended.catch(() => undefined);
    return { pid: launched.pid, ended };
  }

  /**
   * Runs a command to its end: a short one in a process that runs already, if possible.
   * @throws MacvlabError REMOTE_DEAD; REMOTE_DEADLINE; REMOTE_COMMAND when its output is too long (the command is
   *   killed)
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const sent = this.#sent(argv);
    const { stdin, ...limits } = options;
    if (stdin === undefined && PersistentProcesses.isShort(sent)) {
      limits.signal?.throwIfAborted();
      const began = performance.now();
      const outcome = await this.#persistent?.run(sent, limits);
      if (outcome) return this.#received({ argv: sent, ...outcome, duration: performance.now() - began });
    }
    const input = typeof stdin === 'string' ? (this.translation?.sent(stdin) ?? stdin) : stdin;
    await this.#persistent?.leaveDeleted(sent);
    const result = await this.#run(sent, `exec ${quoteCommand(sent)}`, {
      ...limits,
      ...(input !== undefined && { stdin: input }),
    });
    this.#persistent?.changedElsewhere(sent);
    return this.#received(result);
  }

  /**
   * Runs commands one after the other, up to the first failure of a command without `mayFail`: in processes that run
   * already, and otherwise in one channel.
   * @returns one result for each command that was run
   * @throws as `run`
   */
  async batch(commands: readonly BatchCommand[], options: Omit<RunOptions, 'stdin'> = {}): Promise<BatchResult[]> {
    const sent = commands.map(({ argv, ...rest }) => ({ argv: this.#sent(argv), ...rest }));
    const results: BatchResult[] = [];
    options.signal?.throwIfAborted();
    while (results.length < sent.length) {
      const rest = sent.slice(results.length);
      const [next] = rest;
      if (!next) break;
      const outcome = await this.#persistent?.run(next.argv, options);
      results.push(...(outcome ? [batchResult(next.argv, outcome)] : await this.#batchInChannel(rest, options)));
      const last = results.at(-1);
      if (last?.status !== 0 && !sent[results.length - 1]?.mayFail) break;
    }
    return results.map((result) => this.#received(result));
  }

  async #batchInChannel(commands: readonly BatchCommand[], options: RunOptions): Promise<BatchResult[]> {
    for (const { argv } of commands) await this.#persistent?.leaveDeleted(argv);
    const { script, parse } = batchScript(commands);
    const { stdout, stderr } = await this.#run(['sh', '-c', script], script, options);
    for (const { argv } of commands) this.#persistent?.changedElsewhere(argv);
    return parse(stdout, stderr);
  }

  /**
   * Sends a signal to commands of this session; those that have already ended are no error. One kill serves
   * simultaneous requests.
   * @throws MacvlabError REMOTE_DEAD
   */
  async signal(name: RemoteSignal, processes: readonly Pick<RemoteProcess, 'pid'>[]): Promise<void> {
    // A process that never printed its id has ended; 0 would mean the whole process group of the shell that sends the
    // signal.
    const pids = processes.map(({ pid }) => pid).filter((pid) => pid > 0);
    if (pids.length === 0) return;
    const gathering = this.#signals.get(name);
    if (gathering) {
      gathering.pids.push(...pids);
      return gathering.sent;
    }
    const done = Promise.resolve().then(async () => {
      this.#signals.delete(name);
      if (await this.#persistent?.signal(name, pids)) return;
      // With the shell's own kill: no program has to be started or installed.
      const argv = ['kill', `-${name}`, ...pids.map(String)];
      await this.#run(argv, quoteCommand(argv), {});
    });
    this.#signals.set(name, { pids, sent: done });
    return done;
  }

  /** Writes a complete remote file. @throws MacvlabError REMOTE_COPY, REMOTE_DEAD */
  async put(content: string | Uint8Array, path: string, mode = 0o600): Promise<void> {
    await this.#sftp(`write ${path}`, (sftp, done) => {
      sftp.writeFile(path, Buffer.from(content as Uint8Array), { mode }, (error) => done(error));
    });
  }

  /** Reads a complete remote file. @throws MacvlabError REMOTE_COPY, REMOTE_DEAD */
  async get(path: string): Promise<Buffer> {
    return this.#sftp<Buffer>(`read ${path}`, (sftp, done) => {
      sftp.readFile(path, (error, content) => done(error, content));
    });
  }

  /** A TCP connection from the remote machine, for a session over the lab's own wire. @throws MacvlabError REMOTE_CONNECT */
  async tunnel(host: string, port: number): Promise<Duplex> {
    const address = this.translation?.sent(host) ?? host;
    return this.#request<Duplex>(`connect to ${address} port ${port}`, this.timeout(requestDeadline), (done) => {
      this.#client.forwardOut('127.0.0.1', 0, address, port, done);
    }).catch((error: unknown) => {
      if (error instanceof MacvlabError && error.code === 'REMOTE_DEAD') throw error;
      throw new MacvlabError(
        'REMOTE_CONNECT',
        `${this.name} could not connect to ${host} port ${port}: ${messageOf(error)}`,
        {
          next: 'look at the link between the two machines in the evidence',
          cause: error,
        },
      );
    });
  }

  /** Starts a command on a terminal of the given size. @throws MacvlabError REMOTE_DEAD */
  async terminal(
    argv: readonly string[],
    terminal: { term: string; rows: number; cols: number },
  ): Promise<ClientChannel> {
    return this.#request<ClientChannel>('open a terminal', this.timeout(requestDeadline), (done) =>
      this.#client.exec(quoteCommand(argv), { pty: terminal }, done),
    );
  }

  /** Ends the session; idempotent. */
  close(): void {
    this.#closing = true;
    this.#client.end();
    // ssh2 would wait for the other side, which may be frozen.
    this.#transport?.destroy();
  }

  #count(argv: readonly string[]): void {
    const program = programOf(argv);
    this.#started.set(program, (this.#started.get(program) ?? 0) + 1);
  }

  #sent(argv: readonly string[]): readonly string[] {
    return argv.map((word) => this.translation?.sent(word) ?? word);
  }

  #received<T extends { stdout: string; stderr: string }>(result: T): T {
    const { translation } = this;
    if (!translation) return result;
    return { ...result, stdout: translation.received(result.stdout), stderr: translation.received(result.stderr) };
  }

  /** Starts a command in a channel. If sshd opens no more channels, the long-lived processes that are idle give theirs. */
  async #start(argv: readonly string[], line: string, deadline: number): Promise<RemoteProcess> {
    let freed = false;
    for (let wait = 5; ; wait *= 2) {
      try {
        return await this.#open(argv, line, deadline);
      } catch (error) {
        if (error instanceof MacvlabError) throw error;
        freed = (await this.#persistent?.endIdle()) || freed;
        if (!freed || wait > longestFreeing) throw this.#refused(argv, error);
        // sshd frees a channel shortly after it has reported its end.
        await pause(wait);
      }
    }
  }

  async #open(argv: readonly string[], line: string, deadline: number): Promise<RemoteProcess> {
    const what = `start ${argv.join(' ')}`;
    this.#count(argv);
    return this.#request<RemoteProcess>(what, deadline, (done) => {
      this.#client.exec(`echo $$ >&2; ${line}`, (error, channel) => {
        if (error) done(error);
        // at once: ssh2 may have already read the command’s end, and reports it in the current turn
        else
          RemoteProcess.over(argv, channel, this.death, () => this.#channelLost(what)).then(
            (process) => done(undefined, process),
            done,
          );
      });
    });
  }

  #refused(argv: readonly string[], error: unknown): MacvlabError {
    return new MacvlabError('REMOTE_COMMAND', `${this.name} could not start ${argv.join(' ')}: ${messageOf(error)}`, {
      evidence: this.#stderrTail(),
      next: 'raise MaxSessions in the machine’s sshd_config (10 is sshd’s default), or perform fewer experiments at a time',
      cause: error,
    });
  }

  async #launchInChannel(argv: readonly string[]): Promise<Launched> {
    const process = await this.#start(argv, `exec ${quoteCommand(argv)}`, this.timeout(requestDeadline));
    process.stdin.end();
    const { ended, tooMuch, pids } = inChannel(process);
    const outcome = Promise.race([ended, tooMuch]);
    outcome.catch(async () => this.#kill(pids())).catch(() => undefined);
    return { pid: process.pid, ended: outcome };
  }

  async #run(argv: readonly string[], line: string, options: RunOptions): Promise<CommandResult> {
    options.signal?.throwIfAborted();
    const began = performance.now();
    const { signal, stdin, deadline = commandDeadline } = options;
    const process = await this.#start(argv, line, this.timeout(deadline));
    const running = inChannel(process);
    process.stdin.end(stdin);
    const outcome = await this.#conclude(argv, running, { deadline, signal }, began);
    return { argv, ...outcome, duration: performance.now() - began };
  }

  /**
   * Waits for the end of a command. A command that does not end or prints too much is killed.
   * @throws MacvlabError REMOTE_DEADLINE; REMOTE_COMMAND; the reason of the signal
   */
  async #conclude<T extends Outcome | undefined>(
    argv: readonly string[],
    running: RunningCommand<T>,
    limits: CommandLimits,
    began = performance.now(),
  ): Promise<T> {
    const deadline = this.timeout(limits.deadline ?? commandDeadline);
    const left = Math.max(deadline - (performance.now() - began), 0);
    try {
      const ended = Promise.race([running.ended, running.tooMuch]);
      return await within(ended, { what: argv.join(' '), deadline: left, signal: limits.signal });
    } catch (error) {
      const fate = await this.#kill(running.pids());
      if (error instanceof TooMuchOutput) throw this.#endless(argv, error.beginning);
      if (!(error instanceof MacvlabError) || error.code !== 'WAIT_DEADLINE') throw error;
      throw new MacvlabError(
        'REMOTE_DEADLINE',
        `on ${this.name}, \`${argv.join(' ')}\` did not end within ${deadline} ms and ${fate}`,
        {
          evidence: running.printed(),
          next: 'run the command by hand in the lab (`macvlab lab shell`), or set MACVLAB_TIMEOUT_FACTOR=4 on a slow machine',
        },
      );
    }
  }

  #endless(argv: readonly string[], said: string): MacvlabError {
    const much = `more than ${mostOutput / 2 ** 20} MiB`;
    return new MacvlabError('REMOTE_COMMAND', `on ${this.name}, \`${argv.join(' ')}\` said ${much} and was killed`, {
      evidence: said,
      next: 'look on that machine whether its program of that name is the one that is meant',
    });
  }

  /** Kills a command that is no longer needed. Returns the result as text, because another error is already being reported. */
  async #kill(pids: readonly number[]): Promise<string> {
    if (this.death.aborted) return 'its machine is gone';
    const known = pids.filter((pid) => pid > 0);
    const line = `kill -KILL ${known.join(' ')}`;
    try {
      if (known.length > 0) await this.#run(line.split(' '), line, { deadline: killDeadline });
      return 'was killed';
    } catch (error) {
      return `could not be killed: ${messageOf(error)}`;
    }
  }

  async #sftp<T = void>(
    what: string,
    work: (sftp: SFTPWrapper, done: (error: unknown, value?: T) => void) => void,
  ): Promise<T> {
    const deadline = this.timeout(copyDeadline);
    try {
      const sftp = await this.#request<SFTPWrapper>(what, deadline, (done) => this.#client.sftp(done));
      try {
        return await this.#request<T>(what, deadline, (done) => work(sftp, done));
      } finally {
        sftp.end();
      }
    } catch (error) {
      if (error instanceof MacvlabError) throw error;
      throw new MacvlabError('REMOTE_COPY', `${this.name} could not ${what}: ${messageOf(error)}`, {
        next: 'look at the path’s permissions and free space on that machine',
        cause: error,
      });
    }
  }

  /**
   * A callback of ssh2 as a promise that ends at once when the session dies.
   * @param what the request, for errors: "start ip link"
   * @param deadline milliseconds
   */
  async #request<T>(
    what: string,
    deadline: number,
    ask: (done: (error?: unknown, value?: T) => void) => unknown,
  ): Promise<T> {
    this.death.throwIfAborted();
    let refused: unknown;
    const answer = new Promise<T>((resolve, reject) => {
      try {
        ask((error, value) => {
          if (error) reject(error as Error);
          else resolve(value as T);
        });
      } catch (error) {
        refused = error;
        reject(error as Error);
      }
    });
    try {
      return await within(answer, { what, deadline, signal: this.death });
    } catch (error) {
      if (error === refused) await this.#closed();
      // A dead connection fails its requests before its last output has arrived.
      await this.#dying;
      this.death.throwIfAborted();
      if (!(error instanceof MacvlabError) || error.code !== 'WAIT_DEADLINE') throw error;
      throw new MacvlabError('REMOTE_DEADLINE', `${this.name} did not ${what} within ${deadline} ms`, {
        evidence: this.#stderrTail(),
        next: 'look whether that machine still answers, or set MACVLAB_TIMEOUT_FACTOR=4 on a slow machine',
      });
    }
  }

  /** For a request that ssh2 does not even send: the other side has ended the connection, and its close will follow. */
  async #closed(): Promise<void> {
    if (this.death.aborted) return;
    const death = once(this.death, 'abort');
    await pause(closeGrace, death);
    this.#transport?.destroy();
    await pause(closeGrace, death);
  }

  async #die(failure: Error | undefined): Promise<void> {
    if (!this.#closing) await this.#carrierEnded();
    const why = this.#closing ? 'it was closed' : (failure?.message ?? 'the connection ended');
    const known = this.#closing ? undefined : this.#deathCause();
    this.#death.abort(
      known ??
        new MacvlabError('REMOTE_DEAD', `the SSH session with ${this.name} is gone: ${why}`, {
          evidence: this.#stderrTail(),
          next: 'find out what ended that machine or its sshd; the lab has to be built anew',
        }),
    );
  }

  async #carrierEnded(): Promise<void> {
    if (this.#carrier) await pause(stderrTailGrace, this.#carrier);
  }

  /** Why a channel closed without its command's exit status. */
  async #channelLost(what: string): Promise<MacvlabError> {
    await this.#dying;
    if (this.death.aborted) return this.death.reason as MacvlabError;
    return new MacvlabError('REMOTE_DEAD', `${this.name} closed the channel without a status: ${what}`, {
      evidence: this.#stderrTail(),
      next: 'look at that machine’s memory and at its sshd’s log',
    });
  }
}

/** A command in a channel of its own. */
function inChannel(process: RemoteProcess): RunningCommand<Outcome> {
  let stdout = '';
  let stderr = '';
  const tooMuch = new Promise<never>((_, reject) => {
    const take = (stream: Readable, keep: (text: string) => void) => {
      stream.setEncoding('utf8').on('data', (text: string) => {
        keep(text);
        if (stdout.length + stderr.length <= mostOutput) return;
        reject(new TooMuchOutput(stdout || stderr));
        // Further output is read, so that the channel can end, and discarded.
        [stdout, stderr] = ['', ''];
      });
    };
    take(process.stdout, (text) => (stdout += text));
    take(process.stderr, (text) => (stderr += text));
  });
  // A command that has already failed may continue to print until it is killed.
  tooMuch.catch(() => undefined);
  return {
    ended: process.ended.then((exit) => ({ ...exit, stdout, stderr })),
    tooMuch,
    printed: () => `${stdout}${stderr}`,
    pids: () => [process.pid],
  };
}

/** A result as in a shell, where signal n is status 128 + n. */
function batchResult(argv: readonly string[], { status, signal, stdout, stderr }: Outcome): BatchResult {
  const number = signal === null ? 0 : constants.signals[`SIG${signal}` as NodeJS.Signals];
  return { argv, status: status ?? 128 + number, stdout, stderr };
}

/** The program of a command, without the programs that only prepare its start. */
function programOf(argv: readonly string[]): string {
  const [first = '', , third, ...rest] = argv;
  if (first === 'nsenter' && third === '--') return programOf(rest);
  return first === 'stdbuf' ? (third ?? first) : first;
}
