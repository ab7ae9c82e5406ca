#!/usr/bin/env node
/** The command line `macvlab`. */
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { performCommandLine } from './program.js';

// Whoever reads our output may stop doing so (`macvlab list | head`): that is no error, and what we do goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
process.on('uncaughtException', (error) => process.exit(report(error)));

// Without this exit, the pipes of a lab that was left running would hold this process.
process.exit(await performCommandLine(process.argv.slice(2)).catch(report));

/** Says what went wrong, and returns the exit code for it. */
function report(error: unknown): number {
  if (error instanceof MacvlabError) {
    process.stderr.write(`${error.format()}\n`);
    return error.exit;
  }
  process.stderr.write(
    `INTERNAL: ${formatError(error)}\n  next: this is a bug in macvlab: report it with the lines above and the command line\n`,
  );
  return exitCode.lab;
}
