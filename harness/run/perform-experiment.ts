/** One experiment from its beginning to its record: judged, proved by evidence, undone. */
import { watchClock } from '../core/clock.js';
import { MacvlabError, messageOf } from '../core/error.js';
import { patience, pause, within } from '../core/wait.js';
import { Lacking } from '../lab/lacking.js';
import type { Lab } from '../lab/lab.js';
import { countAssertions, endCounting, newAssertionCounter } from '../expect/counting.js';
import { exchangeOf } from '../expect/expect.js';
import { formatExchange } from '../expect/listing.js';
import { collectConsoles, collectEvidence } from './evidence.js';
import { failureRecord } from './failure.js';
import { refuseUnderWay, whyEmpty } from './no-evidence.js';
import type { TestRecord } from './record.js';
import type { Experiment } from './registry.js';
import type { Notes, Stage, SuiteState } from './stage.js';
import { suitesAround } from './suites-around.js';

export interface Performing {
  stage: Stage;
  experiment: Experiment;
  suite: SuiteState;
  /** The suite whose set-up failed, if one did. */
  failed: SuiteState | undefined;
  /** Why it cannot be performed at all: a failed set-up, a damaged lab. */
  blocked: unknown;
  body: (notes: Notes) => Promise<void>;
}

/** Milliseconds that a test may take; a deadline for what hangs, far beyond what any test needs. */
const deadline = 120_000;

/** Performs one experiment, and writes its record with its evidence. Never throws for what the experiment does. */
export async function performExperiment({
  stage,
  experiment,
  suite,
  failed,
  blocked,
  body,
}: Performing): Promise<TestRecord> {
  const { lab, run } = stage;
  const { id, title, test, needs: _, modes, ...about } = experiment;
  const number = run.numbers.get(test) ?? 0;
  run.listener.testStarted(`${id} ${title}`, number);
  const startedAt = new Date();
  const began = performance.now();
  const commandsFrom = lab.log.mark();
  const counter = newAssertionCounter();
  const observed: TestRecord['observed'] = {};
  const measured: TestRecord['observed'] = {};
  const notes: Notes = {
    observe: (name, value) => (observed[name] = value),
    measure: (name, value) => (measured[name] = value),
  };
  let finding: string | undefined;
  let asked = 0;
  const givenUp = AbortSignal.any([run.signal, lab.death]);
  const scoped = async () => {
    lab.forget();
    const ownFrom = lab.log.mark();
    const work = countAssertions(counter, () => body(notes)).catch((error: unknown) => {
      // What did not hold is not undone by what turns out to be lacking behind it.
      throw (error instanceof Lacking ? (counter.failure ?? error) : error) as Error;
    });
    // An assertion that nobody awaits is a mistake of the suite, but it counts all the same.
    const whole = work.then(async () => {
      await endCounting(counter, id);
      refuseUnderWay(lab, id);
    });
    await within(whole, { what: `${id} to end`, deadline: patience(deadline), signal: givenUp }).catch(
      (error: unknown) => {
        if (error instanceof MacvlabError && error.code === 'WAIT_DEADLINE' && error.message.includes(`${id} to end`)) {
          stage.damage ??= new MacvlabError(
            'LAB_DAMAGED',
            `${id} did not end, and may still be changing the lab`,
            undoAdvice,
          );
        }
        throw error;
      },
    );
    finding = findingOf(lab, { ...observed, ...measured });
    asked = lab.log.between(ownFrom).length;
  };
  const beforehand = await judged(() => refuseBeforehand(stage, experiment, blocked));
  let outcome = inShort(beforehand, failed?.failureTold);
  const performed = outcome.verdict === 'passed';
  let leave = () => Promise.resolve();
  if (performed) {
    const scope = lab.scopes.enter(`${id} ${title}`);
    leave = () => lab.scopes.leave(scope);
    const clockJump = watchClock();
    outcome = await judged(scoped);
    const jump = clockJump();
    // Frames of before and after cannot be told apart: neither a loss nor an answer is proved.
    if (jump !== undefined) outcome = outcomeOf(clockWasSet(jump));
  }
  const record: TestRecord = {
    ...{ schema: 1, number, id, title, ...about, modes: [...modes], ...outcome, observed },
    ...(Object.keys(measured).length > 0 && { measured }),
    ...{ lab: lab.driver, kernel: lab.kernel, startedAt: startedAt.toISOString() },
    durationMs: Math.round((performance.now() - began) * 10) / 10,
    ...{ assertions: counter.made, frames: 0, evidence: [] },
  };
  if (performed) {
    const listenToKernel = () => {
      const complaint = judgeKernel(lab, stage.judgedComplaints);
      if (complaint && record.verdict !== 'failed') Object.assign(record, complaint);
    };
    listenToKernel();
    const collected = await judged(() => collectEvidence({ lab, folder: run.folder, record, suite, commandsFrom }));
    if (collected.failure && record.verdict === 'passed') Object.assign(record, collected);
    const empty = record.verdict === 'passed' ? whyEmpty(lab, record, asked) : undefined;
    if (empty) Object.assign(record, outcomeOf(empty));
    stage.isPreserved ||= run.keep === 'on-failure' && isBad(record);
    const undone: Partial<Outcome> = stage.isPreserved ? {} : await judged(leave);
    if (undone.failure)
      stage.damage ??= new MacvlabError('LAB_DAMAGED', `${id} left something behind: ${undone.reason}`, undoAdvice);
    if (record.verdict === 'passed') Object.assign(record, finding === undefined ? {} : { reason: finding }, undone);
    // Once more: many a bug of a kernel shows when a link is taken away.
    listenToKernel();
    const kept = await judged(async () => {
      collectConsoles({ lab, folder: run.folder, record });
      await run.folder.written();
    });
    // What cannot be kept proves nothing to anybody: it is no better than what was never seen.
    if (kept.failure && record.verdict === 'passed') Object.assign(record, kept);
  }
  // What its set-up has done shows why it failed: once, with the first experiment that it keeps from being performed.
  if (failed && failed.failureTold === undefined && isBad(record)) {
    failed.failureTold = id;
    await judged(() =>
      collectEvidence({ lab, folder: run.folder, record, suite, commandsFrom: failed.commandsFrom ?? 0 }),
    );
    stage.isPreserved ||= run.keep === 'on-failure';
  }
  if (performed) stage.judgedComplaints = lab.machines.kernelLog?.mark() ?? 0;
  finish(stage, record);
  run.performed?.(record, {
    wiring: lab.log.between(0, lab.wiredAt),
    setUps: suitesAround(suite).map((state) => ({
      suite: state,
      commands: state.commandsFrom === undefined ? [] : lab.log.between(state.commandsFrom, state.commandsTo),
    })),
    own: lab.log.between(commandsFrom),
    exchanges: [...lab.exchanges],
  });
  return record;
}

function isBad({ verdict }: Pick<TestRecord, 'verdict'>): boolean {
  return verdict === 'failed' || verdict === 'error';
}

/** The failure of a set-up in few words, when another experiment has told all of it. */
function inShort(outcome: Outcome, told: string | undefined): Outcome {
  if (told === undefined || !outcome.failure) return outcome;
  const { code, message } = outcome.failure;
  const reason = `${message} (in the set-up: see ${told})`;
  const failure = { code, message: reason, next: `look at the evidence of ${told}` };
  return { ...outcome, reason, failure };
}

/** What a passed experiment has found, in one line: why a ping was lost, or what the kernel showed. */
function findingOf(lab: Lab, noted: TestRecord['observed']): string | undefined {
  const lost = lab.exchanges.filter(({ outcome }) => outcome !== 'answered');
  const losses = lost.map(({ from, to, reason }) => `${from.name} to ${to.name}: ${reason}`);
  const values = Object.entries(noted).map(([name, value]) => `${name}: ${value}`);
  const findings = [...values, ...losses];
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  return findings[0] && `${findings[0]}${more}`;
}

const undoAdvice = {
  next: 'look at what could not be undone in the record of that test; later tests need a lab without it',
};

function finish(stage: Stage, record: TestRecord): void {
  const { run } = stage;
  run.records.push(record);
  try {
    run.folder.writeRecord(record);
  } catch (error) {
    // The run's folder remembers it, and the run is no good for it; whoever listens is told all the same.
    if (record.verdict === 'passed') Object.assign(record, outcomeOf(error));
    run.stop();
  }
  run.listener.testEnded(record);
  const bad = isBad(record);
  stage.disappointed ||= bad;
  // Where one record or its evidence has no room, no other has.
  const isFull = record.failure?.code === 'OUT_NOT_WRITABLE';
  if (run.signal.aborted || stage.isPreserved || isFull || (run.bail && bad)) run.stop();
}

/**
 * What the kernel has said about itself up to the end of a test, as its outcome: a bug of the kernel's own is what tests look for, and a
 * panic is one that the harness notices by the guest's end. Undefined when there is nothing to say.
 */
function judgeKernel(lab: Lab, complaintsFrom: number): Outcome | undefined {
  const { kernelLog } = lab.machines;
  const death: unknown = lab.death.aborted ? lab.death.reason : undefined;
  if (death instanceof MacvlabError && death.code === 'KERNEL_PANIC') return outcomeOf(death);
  const heard = kernelLog?.since(complaintsFrom) ?? [];
  const worst = heard.find(({ kind }) => kind === 'defect') ?? heard[0];
  if (!worst) return undefined;
  const { machine, line, kind } = worst;
  return outcomeOf(
    kind === 'defect'
      ? new MacvlabError('KERNEL_DEFECT', `the kernel of ${machine} has reported a bug of its own: ${line}`, {
          evidence: tailOf(kernelLog?.text().get(machine)),
          next: 'look at the console in the evidence: what the test did stands right before',
        })
      : new MacvlabError('KERNEL_STALL', `the kernel of ${machine} got no processor for long: ${line}`, {
          evidence: tailOf(kernelLog?.text().get(machine)),
          next: 'repeat the experiment on a machine that is less busy, or with fewer labs side by side (--jobs 1)',
        }),
  );
}

/** The last lines of a console. */
function tailOf(text = ''): string {
  return text.trimEnd().split('\n').slice(-60).join('\n');
}

async function refuseBeforehand(stage: Stage, { needs }: Experiment, blocked: unknown): Promise<void> {
  if (stage.lab.death.aborted) {
    throw new MacvlabError('LAB_DAMAGED', `the lab is gone: ${messageOf(stage.lab.death.reason)}`, {
      next: 'look at the test before, during which it went; those in other suite files get a new lab',
    });
  }
  if (blocked !== undefined) throw blocked as Error;
  for (const feature of needs) {
    const why = await stage.missing(feature);
    if (why !== undefined) throw new Lacking(stage.elsewhere === undefined ? why : `${why}; ${stage.elsewhere}`);
  }
}

type Outcome = Pick<TestRecord, 'verdict' | 'reason' | 'failure'>;

async function judged(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    await work();
    return { verdict: 'passed' };
  } catch (error) {
    if (error instanceof Lacking) return { verdict: 'skipped', reason: error.message };
    return outcomeOf(error, await completeListing(error));
  }
}

/** Codes of what the kernel or the switch has done; all others are trouble of the lab or of macvlab. */
const kernelsFault = new Set(['ASSERTION', 'KERNEL_PANIC', 'KERNEL_DEFECT']);

function outcomeOf(error: unknown, more: { details?: string } = {}): Outcome {
  const failure = { ...failureRecord(error), ...more };
  return { verdict: kernelsFault.has(failure.code) ? 'failed' : 'error', reason: failure.message, failure };
}

/** Milliseconds that captures are given to deliver what belongs to a listing; it is shown to a reader, and decides nothing. */
const courtesy = 50;

async function completeListing(error: unknown): Promise<{ details?: string }> {
  const exchange = exchangeOf(error);
  if (!exchange) return {};
  await pause(courtesy);
  return { details: formatExchange(exchange) };
}

function clockWasSet(jump: number): MacvlabError {
  const [by, way] = [Math.abs(jump), jump < 0 ? 'back' : 'forward'];
  return new MacvlabError('CLOCK_JUMPED', `this machine’s clock jumped ${by} ms ${way} during the test`, {
    next: 'run it again when the clock is no longer set: look whether a time service has just been started, or the machine has slept',
  });
}
