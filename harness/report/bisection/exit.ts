/**
 * The exit codes of a run for `git bisect run`, all in this file. git-bisect(1), "Bisect run": 0 is good. 125 means
 * that the kernel cannot be tested and is skipped. Any other code up to 127 is bad. A higher code ends the bisection.
 */
import { exitCode, MacvlabError } from '../../core/error.js';
import type { RunResults, TestRecord } from '../../run/record.js';
import { shortfall } from '../run/outcome.js';

/** An exit code, with its meaning in words. */
export interface BisectExit {
  exit: number;
  words: string;
}

/**
 * The exit of a run for `git bisect`. Bad if an experiment failed, regardless of the others: a failure is the kernel's.
 * Good only if every chosen experiment passed. Other results prove nothing about this kernel: it did not boot, an
 * experiment was skipped, the lab had an error.
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
 * The exit code of a command that could not make a run. Wrong usage would be the same for every commit, so it ends the
 * bisection and marks no kernel as bad. Other errors are not the kernel's fault either.
 */
export function bisectExitOfError(error: unknown): number {
  if (!(error instanceof MacvlabError)) return exitCode.cannotTell;
  if (error.exit === exitCode.usage) return exitCode.endsBisection;
  return error.exit === exitCode.interrupted ? exitCode.interrupted : exitCode.cannotTell;
}

/** Whether a command line is for `git bisect run`. A misspelt option counts too, because it is wrong usage. */
export function isForBisect(words: readonly string[]): boolean {
  return words.some((word) => /^--?bis/i.test(word));
}
