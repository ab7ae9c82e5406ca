#!/usr/bin/env node
/** The command line `macvlab`. */
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { bisectExitOfError, isForBisect } from '../report/bisect-exit.js';
import { visible } from '../report/text.js';

// Whoever reads our output may stop doing so (`macvlab list | head`): that is no error, and what we do goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
process.on('uncaughtException', (error) => process.exit(report(error)));

// Somebody else's exit, such as a suite's, is no success: what we set out to do has not been done.
let done = false;
process.on('exit', (code) => {
  if (!done && code === exitCode.ok) process.exitCode = exitCode.lab;
});

const words = process.argv.slice(2);
// Loaded here, so that an installation with a part missing is no test that failed: Node.js itself would end with 1.
const code = await import('./program.js').then(({ performCommandLine }) => performCommandLine(words)).catch(report);
// A pipe whose reader is slow has not taken all yet (Node.js, process I/O: writes to pipes are asynchronous).
await Promise.all([process.stdout, process.stderr].map(written));
done = true;
// Without this exit, the pipes of a lab that was left running would hold this process.
process.exit(code);

/** Settles when a stream has passed on all that was written, or nobody reads it any more. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once('close', resolve).write('', () => resolve());
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
