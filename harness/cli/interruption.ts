/** Ctrl-C and termination: the first signal ends a command in order, the second ends it immediately. */
import { exitCode, MacvlabError } from '../core/error.js';
import { notice } from './output.js';

/**
 * Milliseconds in which a second signal counts as the first. Under `npm start`, a Ctrl-C arrives twice: from the
 * terminal, and from npm, which forwards it.
 */
const sameSignal = 500;

/**
 * A signal that aborts on SIGINT, SIGTERM or SIGHUP (a closed terminal). The reason is a MacvlabError INTERRUPTED. A
 * second one ends this process with exit code 130, and the kernel ends a sandbox with it.
 * @param promise how the command ends, for a notice: "the run ends, and writes its reports"
 * @param print prints the notice
 */
export function untilInterrupted(promise?: string, print: (line: string) => void = notice): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  const interrupt = (name: NodeJS.Signals) => {
    if (first !== undefined) {
      if (performance.now() - first > sameSignal) process.exit(exitCode.interrupted);
      return;
    }
    first = performance.now();
    if (promise) print(`${name}: ${promise}; once more to end at once`);
    controller.abort(new MacvlabError('INTERRUPTED', `interrupted by ${name}`, { next: 'run it again' }));
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt);
  return controller.signal;
}
