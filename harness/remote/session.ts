/** An SSH session with one machine: pinned host key, many channels, commands as argument lists. */
import { timingSafeEqual } from 'node:crypto';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type Client, type ClientChannel, type SFTPWrapper } from 'ssh2';
import { MacvlabError, messageOf } from '../core/error.js';
import { patience, within } from '../core/wait.js';
import { type BatchCommand, type BatchResult, batchScript } from './batch.js';
import { keyBlob } from './keys.js';
import { type Exit, RemoteProcess, type RemoteSignal } from './process.js';
import { quoteCommand } from './quote.js';

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
  /** Milliseconds until the handshake must be done; default 20 s. */
  deadline?: number;
  /** Last words of whatever carries the transport, for errors: sshd's standard error. */
  lastWords?: () => string;
}

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
  readonly #client: Client;
  readonly #death = new AbortController();
  readonly #lastWords: () => string;
  #closing = false;

  private constructor(options: SessionOptions, client: Client) {
    this.name = options.name;
    this.#client = client;
    this.#lastWords = options.lastWords ?? (() => '');
  }

  /**
   * Opens a session.
   * @throws MacvlabError REMOTE_CONNECT when there is no sshd, the host key is another one or the user is refused
   */
  static async open(options: SessionOptions): Promise<Session> {
    const client = new ssh2.Client();
    const session = new Session(options, client);
    const pinned = keyBlob(options.hostKey);
    let presented: Buffer | undefined;
    let failure: Error | undefined;
    client.on('error', (error: Error) => (failure ??= error));
    client.on('close', () => session.#die(failure));
    const transport =
      options.transport instanceof Socket || !('host' in options.transport)
        ? options.transport
        : connect(options.transport);
    const ready = new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('the connection was closed during the handshake')));
    });
    client.connect({
      sock: transport,
      username: options.user,
      privateKey: options.privateKey,
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
        deadline: patience(options.deadline ?? 20_000),
      });
    } catch (error) {
      session.#closing = true;
      client.destroy();
      transport.destroy();
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

  /** Aborts, with REMOTE_DEAD as its reason, as soon as the session has ended without being closed from here. */
  get death(): AbortSignal {
    return this.#death.signal;
  }

  /**
   * Starts a command; its streams are read by the caller. The program replaces the remote shell, so that signals reach it.
   * @throws MacvlabError REMOTE_DEAD; REMOTE_COMMAND when sshd opens no more channels
   */
  async start(argv: readonly string[]): Promise<RemoteProcess> {
    return this.#start(argv, `exec ${quoteCommand(argv)}`);
  }

  /**
   * Runs a command to its end.
   * @throws MacvlabError REMOTE_DEAD; REMOTE_DEADLINE (the command is killed)
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return this.#run(argv, `exec ${quoteCommand(argv)}`, options);
  }

  /**
   * Runs commands one after the other in one channel, up to the first that fails but must not.
   * @returns one result for each command that was run
   * @throws as `run`
   */
  async batch(commands: readonly BatchCommand[], options: RunOptions = {}): Promise<BatchResult[]> {
    if (commands.length === 0) return [];
    const { script, parse } = batchScript(commands);
    const { stdout, stderr } = await this.#run(['sh', '-c', script], script, options);
    return parse(stdout, stderr);
  }

  /** Sends a signal to commands of this session; those that have ended already are no error. @throws MacvlabError REMOTE_DEAD */
  async signal(name: RemoteSignal, processes: readonly RemoteProcess[]): Promise<void> {
    if (processes.length === 0) return;
    // By the shell's own kill: no program has to be started, or even be installed.
    await this.batch([{ argv: ['kill', `-${name}`, ...processes.map(({ pid }) => String(pid))], mayFail: true }]);
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
    return this.#request<Duplex>((done) => {
      this.#client.forwardOut('127.0.0.1', 0, host, port, done);
    }).catch((error: unknown) => {
      if (error instanceof MacvlabError) throw error;
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

  /** An interactive login shell on a terminal of the given size. @throws MacvlabError REMOTE_DEAD */
  async shell(terminal: { term: string; rows: number; cols: number }): Promise<ClientChannel> {
    return this.#request<ClientChannel>((done) => this.#client.shell(terminal, done));
  }

  /** Ends the session; idempotent. */
  close(): void {
    this.#closing = true;
    this.#client.end();
    this.#client.destroy();
  }

  async #start(argv: readonly string[], line: string): Promise<RemoteProcess> {
    try {
      const channel = await this.#request<ClientChannel>((done) => this.#client.exec(`echo $$ >&2; ${line}`, done));
      return await RemoteProcess.over(argv, channel, () => this.#deadError());
    } catch (error) {
      if (error instanceof MacvlabError) throw error;
      throw new MacvlabError('REMOTE_COMMAND', `${this.name} could not start ${argv.join(' ')}: ${messageOf(error)}`, {
        evidence: this.#lastWords(),
        next: 'raise MaxSessions in the machine’s sshd_config (10 is sshd’s default), or perform fewer experiments at a time',
        cause: error,
      });
    }
  }

  async #run(argv: readonly string[], line: string, options: RunOptions): Promise<CommandResult> {
    const began = performance.now();
    const process = await this.#start(argv, line);
    let stdout = '';
    let stderr = '';
    process.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    process.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    process.stdin.end(options.stdin);
    const deadline = patience(options.deadline ?? 30_000);
    try {
      const exit = await within(process.ended, { what: argv.join(' '), deadline, signal: options.signal });
      return { argv, ...exit, stdout, stderr, duration: performance.now() - began };
    } catch (error) {
      if (!(error instanceof MacvlabError) || error.code !== 'WAIT_DEADLINE') {
        if (!this.death.aborted) await this.signal('KILL', [process]);
        throw error;
      }
      await this.signal('KILL', [process]);
      throw new MacvlabError(
        'REMOTE_DEADLINE',
        `on ${this.name}, \`${argv.join(' ')}\` did not end within ${deadline} ms and was killed`,
        {
          evidence: `${stdout}${stderr}`,
          next: 'run the command by hand in the lab (`macvlab lab shell`), or set MACVLAB_PATIENCE=4 on a slow machine',
        },
      );
    }
  }

  async #sftp<T = void>(
    what: string,
    work: (sftp: SFTPWrapper, done: (error: unknown, value?: T) => void) => void,
  ): Promise<T> {
    try {
      const sftp = await this.#request<SFTPWrapper>((done) => this.#client.sftp(done));
      try {
        return await this.#request<T>((done) => work(sftp, done));
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

  /** A callback of ssh2 as a promise that ends at once when the session dies. */
  async #request<T>(ask: (done: (error?: unknown, value?: T) => void) => unknown): Promise<T> {
    this.death.throwIfAborted();
    let onDeath: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        onDeath = () => reject(this.death.reason as Error);
        this.death.addEventListener('abort', onDeath, { once: true });
        ask((error, value) => {
          if (error) reject(error as Error);
          else resolve(value as T);
        });
      });
    } finally {
      if (onDeath) this.death.removeEventListener('abort', onDeath);
    }
  }

  #die(failure: Error | undefined): void {
    this.#death.abort(this.#deadError(failure));
  }

  #deadError(failure?: Error): MacvlabError {
    if (this.#death.signal.aborted) return this.#death.signal.reason as MacvlabError;
    const why = this.#closing ? 'it was closed' : (failure?.message ?? 'the connection ended');
    return new MacvlabError('REMOTE_DEAD', `the SSH session with ${this.name} is gone: ${why}`, {
      evidence: this.#lastWords(),
      next: 'find out what ended that machine or its sshd; the lab has to be built anew',
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
