/** A command that runs on a remote machine. */
import type { Readable, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { MacvlabError } from '../core/error.js';
import { unless } from '../core/wait.js';

/** Signals that the harness sends. */
export type RemoteSignal = 'INT' | 'TERM' | 'KILL' | 'USR1' | 'HUP';

/** How a remote command ended: with a status, or by a signal. */
export interface Exit {
  status: number | null;
  /** Without "SIG": "KILL". */
  signal: string | null;
}

/**
 * A running remote command, with its streams. `kill` in a separate channel sends signals: sshd refuses the protocol's
 * signal request for root (OpenSSH session.c, session_signal_req).
 */
export class RemoteProcess {
  readonly argv: readonly string[];
  /** Process id on its machine; 0 when it ended before it could print the id. */
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the command has ended and its streams are read; rejects with REMOTE_DEAD when its machine is gone. */
  readonly ended: Promise<Exit>;

  private constructor(argv: readonly string[], channel: ClientChannel, pid: number, ended: Promise<Exit>) {
    this.argv = argv;
    this.pid = pid;
    this.ended = ended;
    this.stdin = channel;
    this.stdout = channel;
    this.stderr = channel.stderr;
  }

  /**
   * Uses a channel whose command first writes its process id to standard error.
   * @param death the session's: no more output comes after it, whether or not the streams are read
   * @param gone the error to reject with when the channel closes without an exit status
   */
  static async over(
    argv: readonly string[],
    channel: ClientChannel,
    death: AbortSignal,
    gone: () => Promise<MacvlabError>,
  ): Promise<RemoteProcess> {
    let exit: Exit | undefined;
    channel.on('exit', (status: number | null, signal?: string) => {
      exit = { status, signal: signal?.replace(/^SIG/, '') ?? null };
    });
    // ssh2 closes a channel after its standard output, while text of standard error may still arrive.
    const closed = Promise.all([closing(channel), closing(channel.stderr)]);
    const ended = unless(
      death,
      closed.then(async () => {
        if (exit) return exit;
        throw await gone();
      }),
    );
    // The caller need not wait for a process; the session reports its own death.
    ended.catch(() => undefined);
    const pid = await Promise.race([firstLine(channel.stderr), ended.then(() => '')]);
    return new RemoteProcess(argv, channel, /^\d+$/.test(pid) ? Number(pid) : 0, ended);
  }
}

async function closing(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

/** Reads a stream up to its first line feed, and leaves the rest in it; reads up to its end when there is none. */
async function firstLine(stream: Readable): Promise<string> {
  let head = Buffer.alloc(0);
  return new Promise((resolve) => {
    const done = (line: Buffer) => {
      stream.off('readable', read).off('end', finish);
      resolve(line.toString());
    };
    const finish = () => done(head);
    const read = () => {
      const chunk = stream.read() as Buffer | null;
      if (!chunk) return;
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(10);
      if (end < 0) return;
      if (head.length > end + 1) stream.unshift(head.subarray(end + 1));
      done(head.subarray(0, end));
    };
    stream.on('readable', read).on('end', finish);
  });
}
