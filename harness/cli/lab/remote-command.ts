/** Runs a command on a node with this process's own streams. */
import { constants } from 'node:os';
import type { Exit } from '../../remote/process.js';
import type { Session } from '../../remote/session.js';

/** An exit status as in a shell: the status, or 128 plus the signal's number. */
export function shellStatus(status: number | null, signal: string | null | undefined): number {
  if (status !== null) return status;
  const numbers: Partial<Record<string, number>> = constants.signals;
  return 128 + (numbers[`SIG${signal?.replace(/^SIG/, '')}`] ?? 0);
}

/**
 * Runs a command with our standard input and outputs, forwards SIGINT and SIGTERM to it, and returns its exit status.
 * @throws MacvlabError REMOTE_DEAD
 */
export async function streamCommand(session: Session, argv: readonly string[]): Promise<number> {
  const command = await session.start(argv);
  process.stdin.pipe(command.stdin);
  // The command need not read our input.
  command.stdin.on('error', () => process.stdin.unpipe(command.stdin));
  command.stdout.pipe(process.stdout, { end: false });
  command.stderr.pipe(process.stderr, { end: false });
  const passOn = (signal: NodeJS.Signals) => {
    void session.signal(signal === 'SIGINT' ? 'INT' : 'TERM', [command]).catch(() => undefined);
  };
  process.on('SIGINT', passOn).on('SIGTERM', passOn);
  // If our output is closed, a signal ends the command, as on this machine.
  const unread = new Promise<Exit>((resolve) => {
    process.stdout.once('error', () => resolve({ status: null, signal: 'PIPE' }));
  });
  const { status, signal } = await Promise.race([command.ended, unread]);
  if (signal === 'PIPE') await session.signal('HUP', [command]);
  return shellStatus(status, signal);
}
