/**
 * Computes the verdict of an experiment: one pure function of the facts that its run has collected. The table below is
 * the order of precedence; docs/verdicts.md lists it for readers.
 */
import { MacvlabError, verdictOfCode } from '../../core/error.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';
import type { Facts } from './facts.js';
import { failureRecord } from '../failure.js';
import {
  askedAboutNothing,
  askedNothing,
  assertedNothing,
  lostUnseen,
  sawNothing,
  stillUnderWay,
} from './no-evidence.js';
import type { TestRecord } from '../record.js';

/** The part of a record that is computed from facts. */
export type Outcome = Pick<TestRecord, 'verdict' | 'reason' | 'lacks' | 'failure'>;

/** One row of the table: a condition in words, and the outcome if it holds. */
export interface Rule {
  when: string;
  /** Undefined if the condition does not hold. */
  outcome(facts: Facts): Outcome | undefined;
}

/** The order of precedence: the first row that holds decides. */
export const rules: readonly Rule[] = [
  { when: 'the experiment cannot begin', outcome: ({ blocked, listing }) => outcomeOf(blocked, listing) },
  { when: 'an assertion does not hold, and the clock was not set', outcome: unheldAssertion },
  { when: 'the kernel panics', outcome: ({ death }) => outcomeOf(isPanic(death) ? death : undefined) },
  { when: 'the kernel reports a bug of its own', outcome: (facts) => outcomeOf(kernelDefect(facts)) },
  { when: 'the kernel gets no processor for long', outcome: (facts) => outcomeOf(kernelStall(facts)) },
  { when: 'the clock of this machine is set', outcome: (facts) => outcomeOf(clockWasSet(facts)) },
  { when: 'the experiment ends with an error', outcome: ({ thrown, listing }) => outcomeOf(thrown, listing) },
  { when: 'nothing is asserted', outcome: (facts) => outcomeOf(assertedNothing(facts)) },
  { when: 'a ping is still under way at the end', outcome: (facts) => outcomeOf(stillUnderWay(facts)) },
  { when: 'the evidence cannot be collected', outcome: ({ uncollected }) => outcomeOf(uncollected) },
  { when: 'the experiment runs nothing in the lab', outcome: (facts) => outcomeOf(askedNothing(facts)) },
  { when: 'no assertion is about a ping or a state', outcome: (facts) => outcomeOf(askedAboutNothing(facts)) },
  { when: 'pings are sent, and no frame is captured', outcome: (facts) => outcomeOf(sawNothing(facts)) },
  { when: 'a ping is lost, and none of its frames is captured', outcome: (facts) => outcomeOf(lostUnseen(facts)) },
  { when: 'a change cannot be reverted', outcome: ({ left }) => outcomeOf(left) },
  { when: 'the evidence or the record cannot be written', outcome: ({ unkept }) => outcomeOf(unkept) },
  { when: 'none of these', outcome: passed },
];

/** The outcome of an experiment: that of the first rule that holds. */
export function verdictOf(facts: Facts): Outcome {
  for (const rule of rules) {
    const outcome = rule.outcome(facts);
    if (outcome) return outcome;
  }
  throw new Error('the last rule always holds');
}

function passed({ finding }: Facts): Outcome {
  return { verdict: 'passed', ...(finding === undefined ? {} : { reason: finding }) };
}

/** A thrown value as an outcome; undefined for undefined. */
function outcomeOf(error: unknown, details?: string): Outcome | undefined {
  if (error === undefined) return undefined;
  if (error instanceof MissingPrerequisite) return { verdict: 'skipped', reason: error.message, lacks: error.kind };
  const failure = { ...failureRecord(error), ...(details === undefined ? {} : { details }) };
  return { verdict: verdictOfCode(failure.code), reason: failure.message, failure };
}

/** Frames from before and after a clock jump cannot be separated: neither a loss nor an answer is proved. */
function unheldAssertion(facts: Facts): Outcome | undefined {
  if (facts.clockJump !== undefined) return undefined;
  const outcome = outcomeOf(decidingError(facts), facts.listing);
  return outcome?.verdict === 'failed' ? outcome : undefined;
}

/** The error that decides about the body. A missing prerequisite does not excuse an earlier failed assertion. */
export function decidingError({ thrown, unheld }: Pick<Facts, 'thrown' | 'unheld'>): unknown {
  return thrown === undefined || thrown instanceof MissingPrerequisite ? (unheld ?? thrown) : thrown;
}

function isPanic(death: unknown): boolean {
  return death instanceof MacvlabError && death.code === 'KERNEL_PANIC';
}

function kernelDefect({ splats, consoles }: Facts): MacvlabError | undefined {
  const found = splats.find(({ kind }) => kind === 'defect');
  if (!found) return undefined;
  return new MacvlabError(
    'KERNEL_DEFECT',
    `the kernel of ${found.machine} has reported a bug of its own: ${found.line}`,
    {
      evidence: tailOf(consoles.get(found.machine)),
      next: 'look at the console in the evidence: what the test did stands right before',
    },
  );
}

function kernelStall({ splats, consoles }: Facts): MacvlabError | undefined {
  const [found] = splats;
  if (!found) return undefined;
  return new MacvlabError('KERNEL_STALL', `the kernel of ${found.machine} got no processor for long: ${found.line}`, {
    evidence: tailOf(consoles.get(found.machine)),
    next: 'repeat the experiment on a machine that is less busy, or with fewer labs side by side (--jobs 1)',
  });
}

/** The last lines of a console. */
function tailOf(text = ''): string {
  return text.trimEnd().split('\n').slice(-60).join('\n');
}

function clockWasSet({ clockJump }: Facts): MacvlabError | undefined {
  if (clockJump === undefined) return undefined;
  const [by, way] = [Math.abs(clockJump), clockJump < 0 ? 'back' : 'forward'];
  return new MacvlabError('CLOCK_JUMPED', `this machine’s clock jumped ${by} ms ${way} during the test`, {
    next: 'run it again when the clock is no longer set: look whether a time service has just been started, or the machine has slept',
  });
}
