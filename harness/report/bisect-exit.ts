/**
 * What `git bisect run` is told about a kernel, all of it here. git-bisect(1), "Bisect run": 0 is good, 125 cannot be tested
 * and is skipped, any other up to 127 is bad, and whatever is higher ends the bisection.
 */
import { exitCode, MacvlabError } from '../core/error.js';
import type { RunResults, TestRecord } from '../run/record.js';
import { shortfall } from './outcome.js';

/** An exit code, with what it says in words. */
export interface BisectExit {
  exit: number;
  words: string;
}

/**
 * A run as `git bisect` takes it. Bad when an experiment failed, whatever became of others: a failure is the kernel's. Good
 * only when every chosen experiment passed. All else proves nothing about this kernel: it did not boot, an experiment was
 * skipped, the lab was in trouble.
 */
export function bisectExitOf(results: RunResults): BisectExit {
  const { run, records } = results;
  const count = `${records.length} ${records.length === 1 ? 'experiment' : 'experiments'}`;
  if (run.interrupted) return { exit: exitCode.interrupted, words: 'interrupted: this ends the bisection' };
  const failed = records.filter(({ verdict }) => verdict === 'failed');
  if (failed.length > 0) return { exit: exitCode.failed, words: `bad: ${failed.length} of ${count} failed` };
  const doubt = shortfall(results)?.message ?? doubtAbout(records);
  if (doubt !== undefined) return { exit: exitCode.cannotTell, words: `cannot tell, skip it: ${doubt}` };
  return { exit: exitCode.ok, words: `good: ${count} passed` };
}

/** Why records without a failure do not show that the kernel is good. */
function doubtAbout(records: readonly TestRecord[]): string | undefined {
  const open = records.filter(({ verdict }) => verdict !== 'passed');
  const [first] = open;
  if (!first) return undefined;
  const { id, title, verdict, reason } = first;
  const what = verdict === 'skipped' ? 'was skipped' : 'ended in error';
  const more = open.length > 1 ? ` (and ${open.length - 1} more)` : '';
  return `${id} ${title} ${what}${reason === undefined ? '' : `: ${reason}`}${more}`;
}

/**
 * What a command ends with that could not even make a run. Wrong usage would be the same for every commit, and so ends the
 * bisection instead of calling a kernel bad; of what else goes wrong, the kernel is not accused.
 */
export function bisectExitOfError(error: unknown): number {
  if (!(error instanceof MacvlabError)) return exitCode.cannotTell;
  if (error.exit === exitCode.usage) return exitCode.endsBisection;
  return error.exit === exitCode.interrupted ? exitCode.interrupted : exitCode.cannotTell;
}

/** Whether a command line is for `git bisect run`; also where it is misspelt, for then it is wrong usage. */
export function isForBisect(words: readonly string[]): boolean {
  return words.some((word) => /^--?bis/i.test(word));
}
