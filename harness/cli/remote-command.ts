/** A command on a node whose streams are this process's own. */
import { constants } from 'node:os';
import type { Exit } from '../remote/process.js';
import type { Session } from '../remote/session.js';

/** An exit as a shell tells it: the status, or 128 and the signal's number. */
export function shellStatus(status: number | null, signal: string | null | undefined): number {
  if (status !== null) return status;
  const numbers: Partial<Record<string, number>> = constants.signals;
  return 128 + (numbers[`SIG${signal?.replace(/^SIG/, '')}`] ?? 0);
}

/**
 * Runs a command with our standard input and outputs, passes SIGINT and SIGTERM on to it, and returns its exit status.
 * @throws MacvlabError REMOTE_DEAD
 */
export async function streamCommand(session: Session, argv: readonly string[]): Promise<number> {
  const command = await session.start(argv);
  process.stdin.pipe(command.stdin);
  // A command need not read what we are given.
  command.stdin.on('error', () => process.stdin.unpipe(command.stdin));
  command.stdout.pipe(process.stdout, { end: false });
  command.stderr.pipe(process.stderr, { end: false });
  const passOn = (signal: NodeJS.Signals) => {
    void session.signal(signal === 'SIGINT' ? 'INT' : 'TERM', [command]).catch(() => undefined);
  };
  process.on('SIGINT', passOn).on('SIGTERM', passOn);
  // Nobody reads our output any more: the command is told as one on this machine would be.
  const unread = new Promise<Exit>((resolve) => {
    process.stdout.once('error', () => resolve({ status: null, signal: 'PIPE' }));
  });
  const { status, signal } = await Promise.race([command.ended, unread]);
  if (signal === 'PIPE') await session.signal('HUP', [command]);
  return shellStatus(status, signal);
}
