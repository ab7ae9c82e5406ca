/** One experiment from its beginning to its record: run, proved by evidence, reverted, and judged by {@link verdictOf}. */
import { watchClock } from '../core/clock.js';
import { MacvlabError, messageOf } from '../core/error.js';
import { pause } from '../core/wait.js';
import { featuresOfLinks, lackKindOf } from '../lab/features.js';
import { countAssertions, newAssertionCounter, settleAssertions } from '../expect/counting.js';
import { exchangeOf } from '../expect/expect.js';
import { formatExchange } from '../expect/listing.js';
import type { Exchange } from '../lab/exchange.js';
import { Lacking } from '../lab/lacking.js';
import { damaged } from './damage.js';
import { collectEvidence, explainVerdict, type Proof } from './evidence.js';
import type { Facts, PingFact } from './facts.js';
import type { TestRecord } from './record.js';
import type { Experiment } from './registry.js';
import type { Notes, Stage, SuiteState } from './stage.js';
import { suitesAround } from './suites-around.js';
import { claimOf, type Outcome, verdictOf } from './verdict.js';

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

/** What an experiment writes down beside its verdict. */
type Noted = Record<'observed' | 'measured', TestRecord['observed']>;

/** Performs one experiment, and writes its record with its evidence. Never throws for what the experiment does. */
export async function performExperiment(performing: Performing): Promise<TestRecord> {
  const { stage, experiment, suite, failed, blocked } = performing;
  const { lab, run } = stage;
  const { id, title, test, needs: _, modes, ...about } = experiment;
  const number = run.numbers.get(test) ?? 0;
  run.listener.testStarted(`${id} ${title}`, number);
  const startedAt = new Date();
  const began = performance.now();
  const commandsFrom = lab.log.mark();
  const noted: Noted = { observed: {}, measured: {} };
  const facts: Facts = {
    ...{ id, complaints: [], consoles: new Map<string, string>() },
    ...{ assertions: 0, asked: 0, readings: 0, pingsUnderWay: 0, frames: 0, pings: [] },
  };
  let proof: Proof = { frames: 0, evidence: [], commands: [] };
  facts.blocked = await errorOf(() => refuseBeforehand(stage, experiment, blocked));
  const hasBegun = facts.blocked === undefined;
  const reportedBy = failed?.failureReportedBy;
  const outcome = (): Outcome => inShort(verdictOf(facts), reportedBy);
  const preserveFailure = (): void => {
    stage.isPreserved ||= run.keep === 'on-failure' && isBad(outcome());
  };
  if (!hasBegun) {
    facts.listing = await listingOf(facts.blocked);
    // The commands of a set-up show why it failed: once, with the first experiment that it keeps from running.
    if (failed && reportedBy === undefined && isBad(outcome())) {
      failed.failureReportedBy = id;
      facts.uncollected = await errorOf(async () => {
        proof = await collectEvidence({ lab, folder: run.folder, test: { number, id } }, failed.commandsFrom ?? 0);
      });
      preserveFailure();
    }
  } else {
    const scope = lab.scopes.enter(`${id} ${title}`);
    await runBody(performing, facts, noted);
    facts.listing = await listingOf(claimOf(facts));
    facts.uncollected = await errorOf(async () => {
      proof = await collectEvidence({ lab, folder: run.folder, test: { number, id } }, commandsFrom);
    });
    facts.frames = proof.frames;
    preserveFailure();
    if (!stage.isPreserved) facts.left = await errorOf(() => lab.scopes.leave(scope));
    if (facts.left !== undefined) stage.damage ??= damaged(`${id} left something behind: ${messageOf(facts.left)}`);
    // At the very end: many a bug of a kernel shows when a link is removed.
    await listenToKernel(stage, facts);
  }
  const record: TestRecord = {
    ...{ schema: 1, number, id, title, ...about, modes: [...modes], ...outcome(), observed: noted.observed },
    ...(Object.keys(noted.measured).length > 0 && { measured: noted.measured }),
    ...{ lab: lab.driver, kernel: lab.kernel, startedAt: startedAt.toISOString() },
    durationMs: Math.round((performance.now() - began) * 10) / 10,
    ...{ assertions: facts.assertions, frames: facts.frames, evidence: proof.evidence },
  };
  const moved = lab.tenancy?.map?.entries() ?? {};
  if (Object.keys(moved).length > 0) record.addresses = moved;
  if (hasBegun || proof.evidence.length > 0) {
    // What cannot be kept proves nothing to anybody: it is no better than what was never seen.
    facts.unkept = await errorOf(async () => {
      explainVerdict({ lab, folder: run.folder }, record, suite, proof.commands);
      await run.folder.written();
    });
  }
  try {
    run.folder.writeRecord(Object.assign(record, outcome()));
  } catch (error) {
    // The run's folder remembers it, and the run is no good for it; the listener is told all the same.
    facts.unkept ??= error;
    Object.assign(record, outcome());
  }
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

/** Runs the body up to its end, its deadline, the end of the lab or of the run; collects facts, and notes of the experiment. */
async function runBody({ stage, experiment: { id }, body }: Performing, facts: Facts, noted: Noted): Promise<void> {
  const { lab } = stage;
  const counter = newAssertionCounter();
  const notes: Notes = {
    observe: (name, value) => (noted.observed[name] = value),
    measure: (name, value) => (noted.measured[name] = value),
  };
  const clockJump = watchClock();
  lab.forget();
  const ownFrom = lab.log.mark();
  facts.thrown = await errorOf(() =>
    stage.bounded(id, async () => {
      await countAssertions(counter, () => body(notes));
      // An assertion that nobody awaits is a mistake of the suite, but it counts all the same.
      await settleAssertions(counter, id);
    }),
  );
  facts.clockJump = clockJump();
  facts.unheld = counter.failure;
  facts.assertions = counter.made;
  const commands = lab.log.between(ownFrom);
  facts.asked = commands.length;
  facts.readings = commands.filter(({ kind }) => kind === 'reading' || kind === 'engine').length;
  facts.pingsUnderWay = lab.pingsUnderWay;
  facts.pings = lab.exchanges.map(pingFact);
  facts.finding = findingOf(facts.pings, noted);
}

function pingFact(exchange: Exchange): PingFact {
  // Asked first: to look at its outcome is to consult it.
  const { wasConsulted } = exchange;
  const { from, to, outcome, reason, breakPoint } = exchange;
  return { way: `${from.name} to ${to.name}`, outcome, reason, wasSeen: breakPoint !== undefined, wasConsulted };
}

/** What a passed experiment has found, in one line: why a ping was lost, or what the kernel showed. */
function findingOf(pings: readonly PingFact[], { observed, measured }: Noted): string | undefined {
  const losses = pings.flatMap(({ way, outcome, reason }) => (outcome === 'answered' ? [] : [`${way}: ${reason}`]));
  const values = Object.entries({ ...observed, ...measured }).map(([name, value]) => `${name}: ${value}`);
  const findings = [...values, ...losses];
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  return findings[0] && `${findings[0]}${more}`;
}

/** Collects what the lab's kernels have reported up to now; what comes later is the next experiment's. */
async function listenToKernel(stage: Stage, facts: Facts): Promise<void> {
  const { death, machines } = stage.lab;
  const { kernelLog } = machines;
  // A guest that is gone has said its last.
  const unheard = death.aborted ? undefined : await errorOf(async () => kernelLog?.settle());
  if (!death.aborted) facts.uncollected ??= unheard;
  if (death.aborted) facts.death = death.reason;
  facts.complaints = kernelLog?.since(stage.judgedComplaints) ?? [];
  facts.consoles = kernelLog?.text() ?? facts.consoles;
  stage.judgedComplaints = kernelLog?.mark() ?? 0;
}

/** Reports the record, and stops the run where it ends with this experiment. */
function finish(stage: Stage, record: TestRecord): void {
  const { run } = stage;
  run.records.push(record);
  run.listener.testEnded(record);
  const bad = isBad(record);
  stage.disappointed ||= bad;
  // Where one record or its evidence has no room, no other has.
  const isFull = record.failure?.code === 'OUT_NOT_WRITABLE';
  if (stage.isPreserved || (run.bail && bad)) {
    run.listener.remark(`the run ends after ${record.id}, as asked`);
    run.stop(record.id);
  } else if (run.signal.aborted || isFull) run.stop();
}

function isBad({ verdict }: Pick<TestRecord, 'verdict'>): boolean {
  return verdict === 'failed' || verdict === 'error';
}

/** The failure of a set-up in few words, where another experiment has reported all of it. */
function inShort(outcome: Outcome, reportedBy: string | undefined): Outcome {
  if (reportedBy === undefined || !outcome.failure) return outcome;
  const { code, message } = outcome.failure;
  const reason = `${message} (in the set-up: see ${reportedBy})`;
  const failure = { code, message: reason, next: `look at the evidence of ${reportedBy}` };
  return { ...outcome, reason, failure };
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
    if (why === undefined) continue;
    const elsewhere = featuresOfLinks.has(feature) ? undefined : stage.elsewhere;
    if (elsewhere !== undefined) throw new Lacking('lab', `${why}; ${elsewhere}`);
    throw new Lacking(lackKindOf(stage.lab, feature), why);
  }
}

/** What some work throws; undefined when it does not. */
async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing was thrown by name');
  }
}

/** Milliseconds that captures are given to deliver what belongs to a listing; it is shown to a reader, and decides nothing. */
const courtesy = 50;

async function listingOf(error: unknown): Promise<string | undefined> {
  const exchange = exchangeOf(error);
  if (!exchange) return undefined;
  await pause(courtesy);
  return formatExchange(exchange);
}
