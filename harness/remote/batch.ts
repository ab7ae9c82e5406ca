/** Runs several commands in one channel. Process starts take the most time, so that this saves round trips. */
import { randomBytes } from 'node:crypto';
import { MacvlabError } from '../core/error.js';
import { quoteCommand } from './quote.js';

/** One command's result in a batch. */
export interface BatchResult {
  argv: readonly string[];
  /** Exit status; 128 + n when signal n ended it, as in the shell. */
  status: number;
  stdout: string;
  stderr: string;
}

/** One command of a batch. */
export interface BatchCommand {
  argv: readonly string[];
  /** Whether the batch continues after it fails. */
  mayFail?: boolean;
}

export interface BatchScript {
  script: string;
  /** Separates the two output streams by command. */
  parse: (stdout: string, stderr: string) => BatchResult[];
}

/**
 * A shell script that runs the commands one after the other. It stops after the first failure of a command without
 * `mayFail`. A random mark on both streams ends each command's output, so that outputs are not confused. Each command
 * replaces a subshell. So a word like `exit` or `cd` is also a program, and cannot affect the batch.
 */
export function batchScript(commands: readonly BatchCommand[]): BatchScript {
  const mark = `--${randomBytes(9).toString('base64url')}--`;
  const script = [
    `m() { printf '\\n%s %s\\n' ${mark} $1; printf '\\n%s\\n' ${mark} >&2; }`,
    ...commands.map(
      ({ argv, mayFail }) =>
        `(exec ${quoteCommand(argv)}) </dev/null; r=$?; m $r${mayFail ? '' : '; [ $r = 0 ] || exit 0'}`,
    ),
  ].join('\n');
  return { script, parse: (stdout, stderr) => parseBatch(commands, mark, stdout, stderr) };
}

function parseBatch(commands: readonly BatchCommand[], mark: string, stdout: string, stderr: string): BatchResult[] {
  const outputs = stdout.split(`\n${mark} `);
  const errors = stderr.split(`\n${mark}\n`);
  const results: BatchResult[] = [];
  let text = outputs[0] ?? '';
  for (const [index, next] of outputs.slice(1, errors.length).entries()) {
    const [line, status] = /^(\d{1,3})\n/.exec(next) ?? [];
    if (line === undefined) break;
    results.push({
      argv: commands[index]?.argv ?? [],
      status: Number(status),
      stdout: text,
      stderr: errors[index] ?? '',
    });
    text = next.slice(line.length);
  }
  const last = results.at(-1);
  const mayStop = last && last.status !== 0 && !commands[results.length - 1]?.mayFail;
  // More results than commands: a command has read the mark from the shell’s own arguments, and printed it.
  const isWhole = results.length === commands.length || (results.length < commands.length && mayStop);
  if (!isWhole || outputs.length !== errors.length || results.length !== outputs.length - 1) {
    throw new MacvlabError('REMOTE_COMMAND', `a batch of ${commands.length} commands answered for ${results.length}`, {
      evidence: `${stdout}\n${stderr}`,
      next: 'look whether the remote shell is a POSIX shell, and whether that machine is out of memory',
    });
  }
  return results;
}
