/** Whether a run came out as the first one. */
import type { Performed } from './worker.js';

/** Something that came out otherwise than in the first run. */
export interface Change {
  /** "A1.3 bridge: …"; empty when it is the run as a whole. */
  experiment: string;
  /** A verdict, or "absent". */
  was: string;
  is: string;
  reason: string;
}

/** Compares the verdict of every experiment. */
export function compare(first: Performed, run: Performed): Change[] {
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
