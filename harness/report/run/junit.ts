/**
 * The JUnit XML view of a run, for Jenkins and GitLab.
 *
 * There is no standard. This view uses only what every version of the Jenkins xunit plugin's schema allows
 * (jenkinsci/xunit-plugin, `src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd`). That schema
 * has no properties below a testcase. The id, modes and the like are therefore `[[PROPERTY|name=value]]` lines of its
 * system-out, as collected by the testmoapp/junitxml format description ("Properties in test output").
 */
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';
import type { Evidence, Failure, RunResults, TestRecord } from '../../run/record.js';
import {
  addOutcome,
  addOutput,
  addSuite,
  addTest,
  classNameOf,
  junitDocument,
  pathFrom,
  type JunitOptions,
} from './junit-parts.js';
import { countVerdicts, shortfall } from './outcome.js';

export type { JunitOptions } from './junit-parts.js';

/** The file's name in the run's folder. */
export const junitFile = 'junit.xml';

/** A run as JUnit XML. A run that proves less than planned has a suite "macvlab" with an error, so that it is not green. */
export function junitXml(results: RunResults, { base = process.cwd() }: JunitOptions = {}): string {
  const { run, records } = results;
  const missing = shortfall(results);
  const { failed, error } = countVerdicts(records);
  const about = {
    name: `macvlab ${run.id}`,
    tests: records.length + (missing ? 1 : 0),
    failures: failed,
    errors: error + (missing ? 1 : 0),
    durationMs: run.durationMs ?? totalMs(records),
  };
  return junitDocument(about, (root) => {
    if (missing) addRunError(root, results, missing);
    for (const title of new Set(records.map(({ suite }) => suite))) {
      const ofSuite = records.filter(({ suite }) => suite === title);
      addRecords(root, results, title, ofSuite, base);
    }
  });
}

/** The suite for the failure of the run as a whole. */
function addRunError(root: XMLBuilder, { run }: RunResults, failure: Failure): void {
  const counts = { tests: 1, failures: 0, errors: 1, skipped: 0, durationMs: 0 };
  const { startedAt } = run;
  const properties = propertiesOf(run, startedAt, [run]);
  const suite = addSuite(root, { name: 'macvlab', ...counts, startedAt, machine: machineOf(run), properties });
  addOutcome(addTest(suite, 'macvlab', 'the run as a whole', 0), 'error', failure.code, failure.message, failure);
}

function addRecords(root: XMLBuilder, results: RunResults, name: string, records: TestRecord[], base: string): void {
  const { run, folder } = results;
  const { failed, error, skipped } = countVerdicts(records);
  const counts = { tests: records.length, failures: failed, errors: error, skipped, durationMs: totalMs(records) };
  const startedAt = records[0]?.startedAt ?? run.startedAt;
  const properties = propertiesOf(run, startedAt, records);
  const suite = addSuite(root, { name, ...counts, startedAt, machine: machineOf(run), properties });
  for (const record of records) addRecord(suite, folder, record, base);
}

/** Where it ran: the addresses of the inventory's hosts, or this machine. */
function machineOf({ hosts, machine }: RunResults['run']): string {
  return hosts ? Object.values(hosts).join(', ') : machine;
}

function propertiesOf(
  run: RunResults['run'],
  startedAt: string,
  where: Pick<TestRecord, 'lab' | 'kernel'>[],
): Record<string, string> {
  return {
    lab: unique(where.map(({ lab }) => lab)),
    kernel: unique(where.map(({ kernel }) => kernel)),
    macvlab: run.macvlab,
    run: run.id,
    startedAt,
    ...(run.interrupted && { interrupted: 'true' }),
    ...(run.hosts && { startedFrom: run.machine }),
    ...Object.fromEntries(Object.entries(run.hosts ?? {}).map(([name, place]) => [`host.${name}`, place])),
    ...Object.fromEntries(Object.entries(run.tools).map(([tool, version]) => [`tool.${tool}`, version])),
  };
}

function addRecord(suite: XMLBuilder, folder: string, record: TestRecord, base: string): void {
  const test = addTest(suite, classNameOf(record), `${record.id} ${record.title}`, record.durationMs);
  const { verdict, failure } = record;
  const message = failure?.message ?? record.reason ?? 'no reason was recorded';
  if (verdict === 'failed') addOutcome(test, 'failure', failure?.code ?? 'ASSERTION', message, failure);
  if (verdict === 'error') addOutcome(test, 'error', failure?.code ?? 'ERROR', message, failure);
  if (verdict === 'skipped') addOutcome(test, 'skipped', undefined, record.reason ?? message, failure);
  // Some viewers show attachments as lines of text. A passed test therefore has none.
  addOutput(test, valuesOf(record), verdict === 'passed' ? [] : attachments(folder, record.evidence, base));
}

function valuesOf(record: TestRecord): Record<string, string | number | boolean> {
  return {
    id: record.id,
    key: record.key,
    modes: record.modes.join(','),
    lab: record.lab,
    kernel: record.kernel,
    assertions: record.assertions,
    frames: record.frames,
    ...(record.repeated === undefined ? {} : { repeated: record.repeated }),
    ...Object.fromEntries(Object.entries(record.addresses ?? {}).map(([key, value]) => [`address.${key}`, value])),
    ...Object.fromEntries(Object.entries(record.observed).map(([key, value]) => [`observed.${key}`, value])),
    ...Object.fromEntries(Object.entries(record.measured ?? {}).map(([key, value]) => [`measured.${key}`, value])),
  };
}

/** GitLab links only the first of several attachments, so the most useful kind comes first. */
const rank = {
  frames: 0,
  pcap: 1,
  repro: 2,
  console: 3,
  commands: 4,
  links: 5,
  counters: 6,
  'frames-json': 7,
} as const satisfies Record<Evidence['kind'], number>;

function attachments(folder: string, evidence: Evidence[], base: string): string[] {
  const sorted = evidence.toSorted((a, b) => rank[a.kind] - rank[b.kind]);
  return sorted.map(({ file }) => pathFrom(base, folder, file));
}

function unique(values: string[]): string {
  return [...new Set(values)].join(', ');
}

function totalMs(records: TestRecord[]): number {
  return records.reduce((sum, { durationMs }) => sum + durationMs, 0);
}
