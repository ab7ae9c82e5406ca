/** An SSH session with one machine: pinned host key, many channels, commands as argument lists. */
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import ssh2, { type Client, type ClientChannel, type SFTPWrapper } from 'ssh2';
import { MacvlabError, messageOf } from '../core/error.js';
import { patience, pause, within } from '../core/wait.js';
import { type BatchCommand, type BatchResult, batchScript } from './batch.js';
import { type ClockOffset, sameClock } from './clock.js';
import { keyBlob } from './keys.js';
import { type Exit, RemoteProcess, type RemoteSignal } from './process.js';
import { quoteCommand } from './quote.js';
import type { Translation } from './translation.js';
import type { UndoJournal } from './undo-journal.js';

export interface SessionOptions {
  /** The machine's name in errors: "node1". */
  name: string;
  /** A stream to an sshd (its standard input and output, a serial port, a tunnel), or an address to connect to. */
  transport: Duplex | { host: string; port: number };
  user: string;
  /** OpenSSH private key. */
  privateKey: string;
  /** The only host key that is accepted, as a public key line. */
  hostKey: string;
  /** Milliseconds until the handshake must be done; default 20 s. Multiplied as by {@link Session.patience}. */
  deadline?: number;
  /** How many times as long as usual the machine takes for everything; default 1. */
  slowness?: number;
  /** Last words of whatever carries the transport, for errors: sshd's standard error. */
  lastWords?: () => string;
  /** Settles when whatever carries the transport has ended and has said its last words. */
  carrier?: Promise<unknown>;
  /** Why the machine itself is gone, where somebody knows better than that the connection ended. */
  obituary?: () => MacvlabError | undefined;
}

/** Milliseconds that the last words may come behind the end of the transport. */
const lastWordsGrace = 100;
/** Milliseconds that a transport may take to close when its other side has ended it. */
const closeGrace = 1000;
/** Milliseconds for a request to sshd itself: a channel, the end of a process. */
const requestDeadline = 30_000;
const killDeadline = 5000;
/** Characters that a command may say; one that is well says some thousands. */
const mostOutput = 2 ** 26;
/** Milliseconds for a file. */
const copyDeadline = 120_000;

/** A command that has ended. A status other than 0 is data, not an error. */
export interface CommandResult extends Exit {
  argv: readonly string[];
  stdout: string;
  stderr: string;
  /** Milliseconds from asking to the end. */
  duration: number;
}

export interface RunOptions {
  /** Sent to the command's standard input, which is then closed; without it, it is empty. */
  stdin?: string | Uint8Array;
  /** Milliseconds; default 30 s. The command is killed when they are over. */
  deadline?: number;
  signal?: AbortSignal;
}

/** An open SSH session. */
export class Session {
  readonly name: string;
  /** See {@link SessionOptions.slowness}. */
  readonly slowness: number;
  /** Its machine's clock against ours; {@link sameClock} unless somebody has measured it. */
  clock: ClockOffset = sameClock;
  /** Present where the session is in a network that outlives the lab: whoever changes that network notes how it is undone. */
  journal?: UndoJournal;
  /** Present where suites' addresses are others on this machine. */
  translation?: Translation | undefined;
  readonly #client: Client;
  /** Signals that are about to be sent. */
  readonly #signals = new Map<RemoteSignal, { pids: number[]; sent: Promise<void> }>();
  readonly #death = new AbortController();
  readonly #lastWords: () => string;
  readonly #carrier: Promise<unknown> | undefined;
  readonly #obituary: () => MacvlabError | undefined;
  #transport: Duplex | undefined;
  #closing = false;
  #dying: Promise<void> | undefined;

  private constructor(options: SessionOptions, client: Client) {
    this.name = options.name;
    this.slowness = options.slowness ?? 1;
    this.#client = client;
    this.#lastWords = options.lastWords ?? (() => '');
    this.#carrier = options.carrier;
    this.#obituary = options.obituary ?? (() => undefined);
  }

  /**
   * Opens a session.
   * @throws MacvlabError REMOTE_CONNECT when there is no sshd, the host key is another one or the user is refused; the
   *   obituary when its machine is gone
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
    const transport =
      options.transport instanceof Socket || !('host' in options.transport)
        ? options.transport
        : connect(options.transport);
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
      // No trial without a key first: sshd answers what it refuses only after 5 to 9 ms (auth2.c, user_specific_delay).
      authHandler: ['publickey'],
      readyTimeout: 0,
      hostVerifier: (key: Buffer) => {
        presented = key;
        return key.length === pinned.length && timingSafeEqual(key, pinned);
      },
      algorithms: { kex: ['curve25519-sha256'], cipher: ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'] },
      // Over a socket a silent peer is noticed by probes; a local transport ends with its process.
      keepaliveInterval: transport instanceof Socket && transport.remoteAddress ? 1000 : 0,
      keepaliveCountMax: 3,
    });
    try {
      await within(ready, {
        what: `the SSH handshake with ${options.name}`,
        deadline: session.patience(options.deadline ?? 20_000),
      });
    } catch (error) {
      session.close();
      await session.#carrierEnded();
      const known = options.obituary?.();
      if (known) throw known;
      const wrongKey = presented && !presented.equals(pinned);
      throw new MacvlabError(
        'REMOTE_CONNECT',
        `no SSH session with ${options.name}: ${wrongKey ? 'it presented another host key than the pinned one' : messageOf(error)}`,
        {
          evidence: session.#lastWords(),
          next: wrongKey
            ? 'find out who answers there; macvlab never accepts an unknown host key'
            : 'run `macvlab doctor`; sshd must be installed and must allow the lab’s key',
          cause: error,
        },
      );
    }
    return session;
  }

  /** Aborts, with REMOTE_DEAD as its reason, as soon as the session has ended, be it by `close`. */
  get death(): AbortSignal {
    return this.#death.signal;
  }

  /** The deadline in milliseconds for what its machine does: multiplied by the user's patience, and by the machine's slowness. */
  patience(milliseconds: number): number {
    return patience(milliseconds) * this.slowness;
  }

  /**
   * Starts a command; its streams are read by the caller, who has to translate them where there is a {@link translation}. The program replaces the remote shell, so that signals reach it.
   * @throws MacvlabError REMOTE_DEAD; REMOTE_COMMAND when sshd opens no more channels; REMOTE_DEADLINE when it is silent
   */
  async start(argv: readonly string[]): Promise<RemoteProcess> {
    const sent = this.#sent(argv);
    return this.#start(sent, `exec ${quoteCommand(sent)}`, this.patience(requestDeadline));
  }

  /**
   * Runs a command to its end.
   * @throws MacvlabError REMOTE_DEAD; REMOTE_DEADLINE, REMOTE_COMMAND when it says without end (the command is killed)
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const sent = this.#sent(argv);
    const { stdin, ...rest } = options;
    const input = typeof stdin === 'string' ? (this.translation?.sent(stdin) ?? stdin) : stdin;
    const result = await this.#run(sent, `exec ${quoteCommand(sent)}`, {
      ...rest,
      ...(input !== undefined && { stdin: input }),
    });
    return this.#received(result);
  }

  /**
   * Runs commands one after the other in one channel, up to the first that fails but must not.
   * @returns one result for each command that was run
   * @throws as `run`
   */
  async batch(commands: readonly BatchCommand[], options: RunOptions = {}): Promise<BatchResult[]> {
    if (commands.length === 0) return [];
    const { script, parse } = batchScript(commands.map(({ argv, ...rest }) => ({ argv: this.#sent(argv), ...rest })));
    const { stdout, stderr } = await this.#run(['sh', '-c', script], script, options);
    return parse(stdout, stderr).map((result) => this.#received(result));
  }

  /**
   * Sends a signal to commands of this session; those that have ended already are no error. What is asked for at the same
   * time is sent by one kill.
   * @throws MacvlabError REMOTE_DEAD
   */
  async signal(name: RemoteSignal, processes: readonly RemoteProcess[]): Promise<void> {
    // A process that never said its id has ended; 0 would be everybody in the group of the shell that sends the signal.
    const pids = processes.map(({ pid }) => pid).filter((pid) => pid > 0);
    if (pids.length === 0) return;
    const gathering = this.#signals.get(name);
    if (gathering) {
      gathering.pids.push(...pids);
      return gathering.sent;
    }
    const sent = Promise.resolve().then(() => {
      this.#signals.delete(name);
      // By the shell's own kill: no program has to be started, or even be installed.
      const argv = ['kill', `-${name}`, ...pids.map(String)];
      return this.#run(argv, quoteCommand(argv), {});
    });
    const done = sent.then(() => undefined);
    this.#signals.set(name, { pids, sent: done });
    return done;
  }

  /** Writes a remote file whole. @throws MacvlabError REMOTE_COPY, REMOTE_DEAD */
  async put(content: string | Uint8Array, path: string, mode = 0o600): Promise<void> {
    await this.#sftp(`write ${path}`, (sftp, done) => {
      sftp.writeFile(path, Buffer.from(content as Uint8Array), { mode }, (error) => done(error));
    });
  }

  /** Reads a remote file whole. @throws MacvlabError REMOTE_COPY, REMOTE_DEAD */
  async get(path: string): Promise<Buffer> {
    return this.#sftp<Buffer>(`read ${path}`, (sftp, done) => {
      sftp.readFile(path, (error, content) => done(error, content));
    });
  }

  /** A TCP connection made by the remote machine, for a session that runs over the lab's own wire. @throws MacvlabError REMOTE_CONNECT */
  async tunnel(host: string, port: number): Promise<Duplex> {
    const address = this.translation?.sent(host) ?? host;
    return this.#request<Duplex>(`connect to ${address} port ${port}`, this.patience(requestDeadline), (done) => {
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
    return this.#request<ClientChannel>('open a terminal', this.patience(requestDeadline), (done) =>
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

  #sent(argv: readonly string[]): readonly string[] {
    return argv.map((word) => this.translation?.sent(word) ?? word);
  }

  #received<T extends { stdout: string; stderr: string }>(result: T): T {
    const { translation } = this;
    if (!translation) return result;
    return { ...result, stdout: translation.received(result.stdout), stderr: translation.received(result.stderr) };
  }

  async #start(argv: readonly string[], line: string, deadline: number): Promise<RemoteProcess> {
    const what = `start ${argv.join(' ')}`;
    try {
      return await this.#request<RemoteProcess>(what, deadline, (done) => {
        this.#client.exec(`echo $$ >&2; ${line}`, (error, channel) => {
          if (error) done(error);
          // at once: ssh2 may have read the command’s end already, and tells it in this very turn
          else
            RemoteProcess.over(argv, channel, this.death, () => this.#channelLost(what)).then(
              (process) => done(undefined, process),
              done,
            );
        });
      });
    } catch (error) {
      if (error instanceof MacvlabError) throw error;
      throw new MacvlabError('REMOTE_COMMAND', `${this.name} could not ${what}: ${messageOf(error)}`, {
        evidence: this.#lastWords(),
        next: 'raise MaxSessions in the machine’s sshd_config (10 is sshd’s default), or perform fewer experiments at a time',
        cause: error,
      });
    }
  }

  async #run(argv: readonly string[], line: string, options: RunOptions): Promise<CommandResult> {
    options.signal?.throwIfAborted();
    const began = performance.now();
    const deadline = this.patience(options.deadline ?? 30_000);
    const process = await this.#start(argv, line, deadline);
    let stdout = '';
    let stderr = '';
    const tooMuch = new Promise<never>((_, reject) => {
      const take = (stream: Readable, keep: (text: string) => void) => {
        stream.setEncoding('utf8').on('data', (text: string) => {
          keep(text);
          if (stdout.length + stderr.length <= mostOutput) return;
          reject(this.#endless(argv, stdout || stderr));
          // What still comes is read, so that the channel can end, and not kept.
          [stdout, stderr] = ['', ''];
        });
      };
      take(process.stdout, (text) => (stdout += text));
      take(process.stderr, (text) => (stderr += text));
    });
    // A command that has failed otherwise may go on to speak until it is killed.
    tooMuch.catch(() => undefined);
    process.stdin.end(options.stdin);
    const left = Math.max(deadline - (performance.now() - began), 0);
    try {
      const ended = Promise.race([process.ended, tooMuch]);
      const exit = await within(ended, { what: argv.join(' '), deadline: left, signal: options.signal });
      return { argv, ...exit, stdout, stderr, duration: performance.now() - began };
    } catch (error) {
      const fate = await this.#kill(process);
      if (!(error instanceof MacvlabError) || error.code !== 'WAIT_DEADLINE') throw error;
      throw new MacvlabError(
        'REMOTE_DEADLINE',
        `on ${this.name}, \`${argv.join(' ')}\` did not end within ${deadline} ms and ${fate}`,
        {
          evidence: `${stdout}${stderr}`,
          next: 'run the command by hand in the lab (`macvlab lab shell`), or set MACVLAB_PATIENCE=4 on a slow machine',
        },
      );
    }
  }

  #endless(argv: readonly string[], said: string): MacvlabError {
    const much = `more than ${mostOutput / 2 ** 20} MiB`;
    return new MacvlabError('REMOTE_COMMAND', `on ${this.name}, \`${argv.join(' ')}\` said ${much} and was killed`, {
      evidence: said.slice(0, 400),
      next: 'look on that machine whether its program of that name is the one that is meant',
    });
  }

  /** Kills what nobody waits for any more; what comes of it is told in words, since another error is on its way. */
  async #kill(process: RemoteProcess): Promise<string> {
    if (this.death.aborted) return 'its machine is gone';
    const line = `kill -KILL ${process.pid}`;
    try {
      if (process.pid > 0) await this.#run(line.split(' '), line, { deadline: killDeadline });
      return 'was killed';
    } catch (error) {
      return `could not be killed: ${messageOf(error)}`;
    }
  }

  async #sftp<T = void>(
    what: string,
    work: (sftp: SFTPWrapper, done: (error: unknown, value?: T) => void) => void,
  ): Promise<T> {
    const deadline = this.patience(copyDeadline);
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
      // A dead connection fails its requests before its last words are known.
      await this.#dying;
      this.death.throwIfAborted();
      if (!(error instanceof MacvlabError) || error.code !== 'WAIT_DEADLINE') throw error;
      throw new MacvlabError('REMOTE_DEADLINE', `${this.name} did not ${what} within ${deadline} ms`, {
        evidence: this.#lastWords(),
        next: 'look whether that machine still answers, or set MACVLAB_PATIENCE=4 on a slow machine',
      });
    }
  }

  /** What ssh2 does not even send: the other side has ended the connection, and its close is on its way. */
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
    const known = this.#closing ? undefined : this.#obituary();
    this.#death.abort(
      known ??
        new MacvlabError('REMOTE_DEAD', `the SSH session with ${this.name} is gone: ${why}`, {
          evidence: this.#lastWords(),
          next: 'find out what ended that machine or its sshd; the lab has to be built anew',
        }),
    );
  }

  async #carrierEnded(): Promise<void> {
    if (this.#carrier) await pause(lastWordsGrace, this.#carrier);
  }

  /** Why a channel closed without telling how its command ended. */
  async #channelLost(what: string): Promise<MacvlabError> {
    await this.#dying;
    if (this.death.aborted) return this.death.reason as MacvlabError;
    return new MacvlabError('REMOTE_DEAD', `${this.name} closed the channel without a status: ${what}`, {
      evidence: this.#lastWords(),
      next: 'look at that machine’s memory and at its sshd’s log',
    });
  }
}

/** A TCP connection without Nagle's delay: with it each command costs 40 ms twice. */
function connect({ host, port }: { host: string; port: number }): Socket {
  const socket = new Socket();
  socket.setNoDelay(true);
  socket.connect(port, host);
  return socket;
}
