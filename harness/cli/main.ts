#!/usr/bin/env node
/** The command line `macvlab`. */
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { inLocale } from './locale.js';
import { bisectExitOfError, isForBisect } from '../report/bisect-exit.js';
import { visible } from '../report/text.js';

const outputs = { 'standard output': process.stdout, 'standard error': process.stderr };
/** The first loss of output. */
let lost: MacvlabError | undefined;
// Whoever reads our output may stop doing so (`macvlab list | head`): that is no error. In either case, what we do goes on.
for (const [name, stream] of Object.entries(outputs)) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= lostOutput(name, error);
  });
  inLocale(stream);
}
process.on('uncaughtException', (error) => process.exit(report(error)));

// Somebody else's exit, such as a suite's, is no success: what we set out to do has not been done.
let done = false;
process.on('exit', (code) => {
  if (!done && code === exitCode.ok) process.exitCode = exitCode.lab;
});

const words = process.argv.slice(2);
// Loaded here, so that an installation with a part missing is no test that failed: Node.js itself would end with 1.
let code = await import('./program.js').then(({ performCommandLine }) => performCommandLine(words)).catch(report);
// A pipe whose reader is slow has not taken all yet (Node.js, process I/O: writes to pipes are asynchronous), and that something
// was not taken is told behind the write.
await Promise.all(Object.values(outputs).map(written));
if (lost) {
  const exit = report(lost);
  if (code === exitCode.ok) code = exit;
  await written(process.stderr);
}
done = true;
// Without this exit, the pipes of a lab that was left running would hold this process.
process.exit(code);

/** Settles when a stream has passed on all that was written, or nobody reads it any more. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once('close', resolve).write('', () => resolve());
  });
}

/** Output that nobody can read is as if the command had not been run. */
function lostOutput(name: string, error: NodeJS.ErrnoException): MacvlabError {
  return new MacvlabError('OUT_NOT_WRITABLE', `not all of ${name} could be written`, {
    evidence: error.message,
    next: 'run the same command again with an output that takes all, such as a file on a disk with room',
    cause: error,
  });
}

/** Says what went wrong, and returns the exit code for it. */
function report(error: unknown): number {
  if (error instanceof MacvlabError) {
    // Evidence is what others have said, who may know how a terminal is told what to do.
    process.stderr.write(`${visible(error.format())}\n`);
    return isForBisect(words) ? bisectExitOfError(error) : error.exit;
  }
  process.stderr.write(
    `INTERNAL: ${visible(formatError(error))}\n  next: this is a bug in macvlab: report it with the lines above and the command line\n`,
  );
  return isForBisect(words) ? bisectExitOfError(error) : exitCode.lab;
}
