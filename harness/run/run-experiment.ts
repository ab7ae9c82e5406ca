/**
 * Runs one experiment: runs its body, collects evidence, reverts its changes, and writes its record. {@link verdictOf}
 * computes the verdict from the facts collected here.
 */
import { watchClock } from '../core/clock.js';
import { MacvlabError, messageOf } from '../core/error.js';
import { pause } from '../core/wait.js';
import { featuresOfLinks, lackKindOf } from '../lab/feature/features.js';
import { countAssertions, newAssertionCounter, settleAssertions } from '../expect/counting.js';
import { exchangeOf } from '../expect/expect.js';
import { formatExchange } from '../expect/listing.js';
import type { Exchange } from '../exchange/exchange.js';
import { MissingPrerequisite } from '../core/missing-prerequisite.js';
import { unusableLab } from './unusable.js';
import { collectEvidence, explainVerdict, type Proof, writeCapture } from './evidence/evidence.js';
import type { Facts, PingFact } from './verdict/facts.js';
import type { PausedExperiment } from './plan.js';
import { keyOf, type TestRecord } from './record.js';
import type { Experiment } from './suite/experiment-spec.js';
import type { LabSlot } from './lab-slot.js';
import type { Notes } from './suite-state.js';
import type { SuiteState } from './suite-state.js';
import { suitesAround } from './suite-state.js';
import { decidingError, type Outcome, verdictOf } from './verdict/verdict.js';

/** The values that an experiment records in addition to its verdict. */
type Noted = Record<'observed' | 'measured', TestRecord['observed']>;

/**
 * Runs one experiment, and writes its record with its evidence. Never throws because of the experiment. If this machine's
 * clock is set meanwhile, the frames prove nothing: the experiment runs once more, and only the second run counts.
 * @param firstJump of the second run: by how many milliseconds the clock was set during the first
 */
export async function runExperiment(
  slot: LabSlot,
  experiment: Experiment,
  suite: SuiteState,
  body: (notes: Notes) => Promise<void>,
  firstJump?: number,
): Promise<TestRecord> {
  const { lab, run } = slot;
  const failed = suitesAround(suite).findLast(({ failure }) => failure !== undefined);
  const { key, id, title, modes, suite: outermost, file } = experiment;
  const number = run.numbers.get(keyOf(experiment)) ?? 0;
  if (firstJump === undefined) {
    run.listener.testStarted(`${id} ${title}`, number, `${lab.driver} ${slot.number}`);
    run.captureTo?.testStarted(lab, `${id} ${title}`);
  }
  const startedAt = new Date();
  const began = performance.now();
  const commandsFrom = lab.log.mark();
  const noted: Noted = { observed: {}, measured: {} };
  const facts: Facts = {
    ...{ id, splats: [], consoles: new Map<string, string>() },
    ...{ assertions: 0, asked: 0, readings: 0, pingsUnderWay: 0, frames: 0, pings: [] },
  };
  const of = { lab, folder: run.folder, test: { number, id }, pcapPerPoint: run.pcapPerPoint === true };
  let pausedMs: number | undefined;
  let proof: Proof = { frames: 0, evidence: [], commands: [] };
  facts.blocked = await errorOf(() => refuseBeforehand(slot, experiment, failed?.failure ?? slot.unusable));
  const hasBegun = facts.blocked === undefined;
  const reportedBy = failed?.failureReportedBy;
  const outcome = (): Outcome => inShort(verdictOf(facts), reportedBy);
  const preserveFailure = (): void => {
    slot.isPreserved ||= run.keep === 'on-failure' && isBad(outcome());
  };
  if (!hasBegun) {
    facts.listing = await listingOf(facts.blocked);
    // The commands of a failed set-up are evidence. They are stored once, with the first experiment that cannot run.
    if (failed && reportedBy === undefined && isBad(outcome())) {
      failed.failureReportedBy = id;
      facts.uncollected = await errorOf(async () => {
        proof = await collectEvidence(of, failed.commandsFrom ?? 0, { exchange: undefined });
      });
      preserveFailure();
      pausedMs = await pauseOf(slot, { id, title, evidence: proof.evidence, ...outcome() });
    }
  } else {
    const scope = lab.scopes.enter(`${id} ${title}`);
    await runBody({ slot, id, body }, facts, noted);
    facts.listing = await listingOf(decidingError(facts));
    const wrong = decidingError(facts);
    const failure =
      wrong === undefined || wrong instanceof MissingPrerequisite ? undefined : { exchange: exchangeOf(wrong) };
    const collect = async (): Promise<void> => {
      facts.uncollected = await errorOf(async () => {
        proof = await collectEvidence(of, commandsFrom, failure);
      });
      facts.frames = proof.frames;
    };
    const mayRepeat = firstJump === undefined && facts.clockJump !== undefined && !slot.givenUp.aborted;
    if (!mayRepeat) {
      await collect();
      preserveFailure();
      if (isBad(outcome())) pausedMs = await pauseOf(slot, { id, title, evidence: proof.evidence, ...outcome() });
    }
    if (!slot.isPreserved) facts.left = await errorOf(() => lab.scopes.leave(scope));
    if (facts.left !== undefined)
      slot.unusable ??= unusableLab(`${id} left something behind: ${messageOf(facts.left)}`);
    // Last, because many kernel bugs are reported when a link is removed.
    await listenToKernel(slot, facts);
    if (mayRepeat) {
      // What the kernel reported, and a lab that is not as before, must not be lost by a second run.
      const canRepeat = !slot.isUnfit && facts.splats.length === 0;
      if (canRepeat) return runExperiment(slot, experiment, suite, body, facts.clockJump);
      await collect();
    }
  }
  const record: TestRecord = {
    ...{ schema: 2, key, number, id, title, suite: outermost, file, modes: [...modes], ...outcome() },
    observed: noted.observed,
    ...(Object.keys(noted.measured).length > 0 && { measured: noted.measured }),
    ...{ lab: lab.driver, kernel: lab.kernel, startedAt: startedAt.toISOString() },
    durationMs: Math.round((performance.now() - began - (pausedMs ?? 0)) * 10) / 10,
    ...{ assertions: facts.assertions, frames: facts.frames, evidence: proof.evidence },
  };
  if (firstJump !== undefined)
    record.repeated = `this machine’s clock was set by ${firstJump} ms during the first run of the experiment`;
  if (pausedMs !== undefined) record.pausedMs = Math.round(pausedMs);
  const moved = lab.policy.map?.entries() ?? {};
  if (Object.keys(moved).length > 0) record.addresses = moved;
  if (hasBegun || proof.evidence.length > 0) {
    // Evidence that cannot be written proves nothing: `passed` becomes `error`.
    facts.unkept = await errorOf(async () => {
      writeCapture(of, record, run.folder.id, proof.captured);
      explainVerdict(of, record, suite, proof.commands);
      await run.folder.written();
    });
  }
  try {
    run.folder.writeRecord(Object.assign(record, outcome()));
  } catch (error) {
    // The record was not written: `passed` becomes `error`. The listener still receives the record.
    facts.unkept ??= error;
    Object.assign(record, outcome());
  }
  finish(slot, record);
  run.experimentEnded?.(record, {
    wiring: lab.log.between(0, lab.wiredAt),
    setUps: suitesAround(suite).map((state) => ({
      suite: state,
      commands: state.commandsFrom === undefined ? [] : lab.log.between(state.commandsFrom, state.commandsTo),
    })),
    own: lab.log.between(commandsFrom),
    exchanges: [...lab.ledger.exchanges],
  });
  return record;
}

/** Pauses before the changes of an experiment are reverted, if the run asks for it. @returns milliseconds; undefined without a pause */
async function pauseOf(
  { lab, run, givenUp }: LabSlot,
  record: PausedExperiment['record'],
): Promise<number | undefined> {
  if (!run.pauseOnFailure || givenUp.aborted) return undefined;
  const began = performance.now();
  const paused = run.pauseOnFailure({ lab, record, folder: run.folder.path, signal: givenUp });
  // The record is more important than a pause.
  const error = await errorOf(() => paused);
  if (error === undefined) return performance.now() - began;
  run.listener.remark(`no pause after ${record.id}: ${messageOf(error)}`);
  return undefined;
}

/** Runs the body until it ends, its deadline passes, or the lab or the run ends. Collects facts, and the experiment's recorded values. */
async function runBody(
  { slot, id, body }: { slot: LabSlot; id: string; body: (notes: Notes) => Promise<void> },
  facts: Facts,
  noted: Noted,
): Promise<void> {
  const { lab } = slot;
  const counter = newAssertionCounter();
  const notes: Notes = {
    observe: (name, value) => (noted.observed[name] = value),
    measure: (name, value) => (noted.measured[name] = value),
  };
  const clockJump = watchClock();
  lab.forget();
  const ownFrom = lab.log.mark();
  facts.thrown = await errorOf(() =>
    slot.bounded(id, async () => {
      await lab.machines.setClocks();
      await countAssertions(counter, () => body(notes));
      // An assertion without `await` is a bug of the suite, but it counts.
      await settleAssertions(counter, id);
    }),
  );
  facts.clockJump = clockJump();
  facts.unheld = counter.failure;
  facts.assertions = counter.made;
  const commands = lab.log.between(ownFrom);
  facts.asked = commands.length;
  facts.readings = commands.filter(({ kind }) => kind === 'reading' || kind === 'engine').length;
  facts.pingsUnderWay = lab.ledger.underWay;
  facts.pings = lab.ledger.exchanges.map(pingFact);
  facts.finding = findingOf(facts.pings, noted);
}

function pingFact(exchange: Exchange): PingFact {
  // Read first, because reading the outcome sets it.
  const { wasConsulted } = exchange;
  const { from, to, outcome, reason, dropPoint } = exchange;
  return { way: `${from.name} to ${to.name}`, outcome, reason, wasSeen: dropPoint !== undefined, wasConsulted };
}

/** The finding of a passed experiment, in one line: a recorded value, or why a ping was lost. */
function findingOf(pings: readonly PingFact[], { observed, measured }: Noted): string | undefined {
  const losses = pings.flatMap(({ way, outcome, reason }) => (outcome === 'answered' ? [] : [`${way}: ${reason}`]));
  const values = Object.entries({ ...observed, ...measured }).map(([name, value]) => `${name}: ${value}`);
  const findings = [...values, ...losses];
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  return findings[0] && `${findings[0]}${more}`;
}

/** Collects the kernel splats reported so far. Later ones belong to the next experiment. */
async function listenToKernel(slot: LabSlot, facts: Facts): Promise<void> {
  const { death, machines } = slot.lab;
  const { kernelLog } = machines;
  // A dead guest prints nothing more.
  const unheard = death.aborted ? undefined : await errorOf(async () => kernelLog.settle());
  if (!death.aborted) facts.uncollected ??= unheard;
  if (death.aborted) facts.death = death.reason;
  facts.splats = kernelLog.since(slot.judgedSplats);
  facts.consoles = kernelLog.text();
  slot.judgedSplats = kernelLog.mark();
}

/** Reports the record, and stops the run if it ends with this experiment. */
function finish(slot: LabSlot, record: TestRecord): void {
  const { run } = slot;
  run.records.push(record);
  run.listener.testEnded(record);
  const bad = isBad(record);
  slot.hasFailures ||= bad;
  // If there is no space for one record or its evidence, there is none for the next.
  const isFull = record.failure?.code === 'OUT_NOT_WRITABLE';
  if (slot.isPreserved || (run.bail && bad)) {
    run.listener.remark(`the run ends after ${record.id}, as asked`);
    run.stop(record.id);
  } else if (run.signal.aborted || isFull) run.stop();
}

function isBad({ verdict }: Pick<TestRecord, 'verdict'>): boolean {
  return verdict === 'failed' || verdict === 'error';
}

/** Shortens the failure of a set-up, if another experiment has reported it in full. */
function inShort(outcome: Outcome, reportedBy: string | undefined): Outcome {
  if (reportedBy === undefined || !outcome.failure) return outcome;
  const { code, message } = outcome.failure;
  const reason = `${message} (in the set-up: see ${reportedBy})`;
  const failure = { code, message: reason, next: `look at the evidence of ${reportedBy}` };
  return { ...outcome, reason, failure };
}

/** Throws if the experiment cannot begin: the lab is gone, the set-up has failed, or the lab lacks a feature. */
async function refuseBeforehand(slot: LabSlot, { needs }: Experiment, blocked: unknown): Promise<void> {
  if (slot.lab.death.aborted) {
    throw new MacvlabError('LAB_DAMAGED', `the lab is gone: ${messageOf(slot.lab.death.reason)}`, {
      next: 'look at the test before, during which it went; those in other suite files get a new lab',
    });
  }
  if (blocked !== undefined) throw blocked as Error;
  for (const feature of needs) {
    const why = await slot.missing(feature);
    if (why === undefined) continue;
    const elsewhere = featuresOfLinks.has(feature) ? undefined : slot.elsewhere;
    if (elsewhere !== undefined) throw new MissingPrerequisite('lab', `${why}; ${elsewhere}`);
    throw new MissingPrerequisite(lackKindOf(slot.lab, feature), why);
  }
}

/** The error that some work throws; undefined if it throws none. */
async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing was thrown by name');
  }
}

/** Milliseconds to wait for captures to deliver the frames of a listing. The listing is for readers; no verdict depends on it. */
const gracePeriod = 50;

async function listingOf(error: unknown): Promise<string | undefined> {
  const exchange = exchangeOf(error);
  if (!exchange) return undefined;
  await pause(gracePeriod);
  return formatExchange(exchange);
}
