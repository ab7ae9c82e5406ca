#!/usr/bin/env node
/** The command line `macvlab`. */
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { inLocale } from './locale.js';
import { bisectExitOfError, isForBisect } from '../report/bisection/exit.js';
import { visible } from '../report/text.js';

const outputs = { 'standard output': process.stdout, 'standard error': process.stderr };
/** The first loss of output. */
let lost: MacvlabError | undefined;
// The reader of our output may close it (`macvlab list | head`): that is not an error. In either case, the command
// continues.
for (const [name, stream] of Object.entries(outputs)) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= lostOutput(name, error);
  });
  inLocale(stream);
}
process.on('uncaughtException', (error) => process.exit(report(error)));

// An exit by other code, such as a suite, is not a success: the command has not finished.
let done = false;
process.on('exit', (code) => {
  if (!done && code === exitCode.ok) process.exitCode = exitCode.lab;
});

const words = process.argv.slice(2);
// Loaded here, so that an incomplete installation does not count as a failed test: Node.js itself would end with 1.
let code = await import('./program.js')
  .then(({ runCommandLine: performCommandLine }) => performCommandLine(words))
  .catch(report);
// A pipe with a slow reader has not accepted everything yet (Node.js, process I/O: writes to pipes are asynchronous).
// Write errors are reported after the write.
await Promise.all(Object.values(outputs).map(written));
if (lost) {
  const exit = report(lost);
  if (code === exitCode.ok) code = exit;
  await written(process.stderr);
}
done = true;
// Without this exit, the pipes of a detached lab would keep this process running.
process.exit(code);

/** Settles when a stream has forwarded all that was written, or is closed. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once('close', resolve).write('', () => resolve());
  });
}

/** The error for lost output: without its output, a command counts as not run. */
function lostOutput(name: string, error: NodeJS.ErrnoException): MacvlabError {
  return new MacvlabError('OUT_NOT_WRITABLE', `not all of ${name} could be written`, {
    evidence: error.message,
    next: 'run the same command again with an output that takes all, such as a file on a disk with room',
    cause: error,
  });
}

/** Prints an error, and returns its exit code. */
function report(error: unknown): number {
  if (error instanceof MacvlabError) {
    // Evidence is output of other programs and hosts, which may contain control characters for the terminal.
    process.stderr.write(`${visible(error.format())}\n`);
    return isForBisect(words) ? bisectExitOfError(error) : error.exit;
  }
  process.stderr.write(
    `INTERNAL: ${visible(formatError(error))}\n  next: this is a bug in macvlab: report it with the lines above and the command line\n`,
  );
  return isForBisect(words) ? bisectExitOfError(error) : exitCode.lab;
}
