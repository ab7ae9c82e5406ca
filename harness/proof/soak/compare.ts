/** Compares the outcome of a run with that of the first run. */
import type { SoakOutcome } from './soak-run.js';

/** A difference from the first run. */
export interface Change {
  /** Key of the experiment, "a1-vepa-to-gateway"; empty for the run as a whole. */
  experiment: string;
  /** A verdict, or "absent". */
  was: string;
  is: string;
  reason: string;
}

/** Compares the verdict of every experiment. */
export function compare(first: SoakOutcome, run: SoakOutcome): Change[] {
  const changes = Object.keys({ ...first.verdicts, ...run.verdicts }).flatMap((experiment): Change[] => {
    const [was, is] = [first.verdicts[experiment], run.verdicts[experiment]];
    if (was?.verdict === is?.verdict) return [];
    const reason = is?.reason ?? run.failure ?? was?.reason ?? '';
    return [{ experiment, was: was?.verdict ?? 'absent', is: is?.verdict ?? 'absent', reason }];
  });
  if (changes.length > 0 || first.failure === run.failure) return changes;
  return [
    { experiment: '', was: first.failure ?? 'whole', is: 'broken', reason: run.failure ?? 'it was not this time' },
  ];
}
