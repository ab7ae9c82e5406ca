/** An interactive shell on a node: this process's terminal becomes that of the remote shell. */
import type { ReadStream } from 'node:tty';
import type { Session } from '../../remote/session.js';
import { shellStatus } from './remote-command.js';

/** A shell that shows where it runs: bash if it is installed. It reads no files of the node. $1 is the node's name. */
const shell = `
export HOME=/root
cd || cd /
if command -v bash >/dev/null; then PS1='\\u@'"$1"':\\w\\$ '; set -- bash --norc -i; else PS1="$1:\\$PWD# "; set -- sh -i; fi
export PS1
exec "$@"`;

/**
 * Gives the terminal to a remote shell until the shell ends. Returns the shell's exit status as a local shell would.
 * @throws MacvlabError REMOTE_DEAD if the session ends before the shell
 */
export async function openTerminal(session: Session, node: string): Promise<number> {
  const input: ReadStream = process.stdin;
  const size = () => {
    // Both are undefined if only the input is a terminal.
    const { rows, columns }: { rows?: number; columns?: number } = process.stdout;
    return { rows: rows || 24, cols: columns || 80 };
  };
  const terminal = { term: process.env.TERM ?? 'dumb', ...size() };
  const channel = await session.terminal(['sh', '-c', shell, 'sh', node], terminal);
  let status: number | undefined;
  channel.on('exit', (code: number | null, signal?: string) => (status = shellStatus(code, signal)));
  const resize = () => {
    const { rows, cols } = size();
    channel.setWindow(rows, cols, 0, 0);
  };
  process.stdout.on('resize', resize);
  // Every key, Ctrl-C included, goes to the remote shell.
  input.setRawMode(true);
  try {
    input.pipe(channel);
    channel.pipe(process.stdout, { end: false });
    channel.stderr.pipe(process.stderr, { end: false });
    await new Promise<void>((resolve) => channel.once('close', resolve));
  } finally {
    input.unpipe(channel);
    input.setRawMode(false);
    input.pause();
    process.stdout.off('resize', resize);
  }
  if (status === undefined) throw session.death.reason;
  return status;
}
