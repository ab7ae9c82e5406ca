/** A command that runs on a remote machine. */
import type { Readable, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { MacvlabError } from '../core/error.js';

/** Signals that the SSH protocol names (RFC 4254, 6.9) and that the harness uses. */
export type RemoteSignal = 'INT' | 'TERM' | 'KILL' | 'USR1' | 'HUP';

/** How a remote command ended: with a status, or by a signal. */
export interface Exit {
  status: number | null;
  /** Without "SIG": "KILL". */
  signal: string | null;
}

/** A running remote command, with its streams. */
export class RemoteProcess {
  readonly argv: readonly string[];
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the command has ended and its streams are read; rejects with REMOTE_DEAD when its machine is gone. */
  readonly ended: Promise<Exit>;
  readonly #channel: ClientChannel;

  constructor(argv: readonly string[], channel: ClientChannel, dead: () => MacvlabError) {
    this.argv = argv;
    this.#channel = channel;
    this.stdin = channel;
    this.stdout = channel;
    this.stderr = channel.stderr;
    let exit: Exit | undefined;
    channel.on('exit', (status: number | null, signal?: string) => {
      exit = { status, signal: signal?.replace(/^SIG/, '') ?? null };
    });
    this.ended = new Promise((resolve, reject) => {
      channel.on('close', () => {
        if (exit) resolve(exit);
        else reject(dead());
      });
    });
    // Whoever starts a process need not wait for it; the session reports its own death.
    this.ended.catch(() => undefined);
  }

  /** Sends a signal to the command's process group; sshd has passed it on when later commands run. */
  signal(name: RemoteSignal): void {
    this.#channel.signal(name);
  }
}
