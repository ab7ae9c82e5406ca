/** Ctrl-C and termination: the first asks a command to end in order, the second ends it at once. */
import { exitCode, MacvlabError } from '../core/error.js';
import { remark } from './output.js';

/**
 * Milliseconds in which a second signal counts as the first: below `npm start` a Ctrl-C arrives twice, from the terminal
 * and from npm, which passes it on.
 */
const sameSignal = 500;

/**
 * A signal that aborts with SIGINT, SIGTERM or SIGHUP (a closed terminal); the reason is a MacvlabError INTERRUPTED. Another one ends this process
 * with exit code 130, and the kernel takes a sandbox with it.
 * @param promise what is said then about how the command ends: "the run ends, and writes its reports"
 */
export function untilInterrupted(promise?: string): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  const interrupt = (name: NodeJS.Signals) => {
    if (first !== undefined) {
      if (performance.now() - first > sameSignal) process.exit(exitCode.interrupted);
      return;
    }
    first = performance.now();
    if (promise) remark(`${name}: ${promise}; once more to end at once`);
    controller.abort(new MacvlabError('INTERRUPTED', `interrupted by ${name}`, { next: 'run it again' }));
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt);
  return controller.signal;
}
