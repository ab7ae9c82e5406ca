/**
 * The JUnit XML view of a run, for Jenkins and GitLab.
 *
 * There is no standard; this keeps to what every version of the Jenkins xunit plugin's schema allows
 * (jenkinsci/xunit-plugin, `src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd`). That schema
 * has no properties below a testcase, so that id, modes and the like are `[[PROPERTY|name=value]]` lines of its
 * system-out, as collected by the testmoapp/junitxml format description ("Properties in test output").
 */
import { isAbsolute, join, relative, sep } from 'node:path';
import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';
import type { Evidence, Failure, RunResults, TestRecord } from '../run/record.js';
import { countVerdicts, shortfall } from './outcome.js';
import { oneLine, visible } from './text.js';

/** The file's name in the run's folder. */
export const junitFile = 'junit.xml';

export interface JunitOptions {
  /**
   * The folder that paths of evidence are relative to, by default the current one. Both consumers resolve them from the
   * checkout, not from the XML file: GitLab documents "relative to $CI_PROJECT_DIR" (docs, "Unit test reports"), Jenkins
   * takes `workspace.child(name)` (junit-attachments-plugin, GetTestDataMethodObject.java), which also takes an absolute
   * path. Evidence outside of this folder is therefore named absolutely.
   */
  base?: string;
}

/** A run as JUnit XML. A run that proves less than planned has a suite "macvlab" with an error, so that it is not green. */
export function junitXml(results: RunResults, { base = process.cwd() }: JunitOptions = {}): string {
  const { run, records } = results;
  const missing = shortfall(results);
  const { failed, error } = countVerdicts(records);
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', {
    name: `macvlab ${line(run.id)}`,
    tests: records.length + (missing ? 1 : 0),
    failures: failed,
    errors: error + (missing ? 1 : 0),
    time: seconds(run.durationMs ?? totalMs(records)),
  });
  if (missing) addRunError(root, results, missing);
  for (const title of new Set(records.map(({ suite }) => suite))) {
    addSuite(
      root,
      results,
      records.filter(({ suite }) => suite === title),
      base,
    );
  }
  return `${root.end({ prettyPrint: true })}\n`;
}

/** The suite of what kept the run as a whole from its verdicts. */
function addRunError(root: XMLBuilder, results: RunResults, failure: Failure): void {
  const counts = { tests: 1, failures: 0, errors: 1, skipped: 0, time: seconds(0) };
  const suite = addSuiteElement(root, results, 'macvlab', results.run.startedAt, counts, [results.run]);
  const test = suite.ele('testcase', { classname: 'macvlab', name: 'the run as a whole', time: seconds(0) });
  addOutcome(test, 'error', failure.code, failure.message, failure);
}

function addSuite(root: XMLBuilder, results: RunResults, records: TestRecord[], base: string): void {
  const [first] = records;
  if (!first) return;
  const { failed, error, skipped } = countVerdicts(records);
  const counts = { tests: records.length, failures: failed, errors: error, skipped, time: seconds(totalMs(records)) };
  const suite = addSuiteElement(root, results, first.suite, first.startedAt, counts, records);
  for (const record of records) addTest(suite, results.folder, record, base);
}

function addSuiteElement(
  root: XMLBuilder,
  { run }: RunResults,
  name: string,
  startedAt: string,
  counts: object,
  where: { lab: string; kernel: string }[],
): XMLBuilder {
  // UTC without zone or fraction: the one form that the strictest schema (Ant's) takes; the property has the whole.
  const timestamp = startedAt.slice(0, 19);
  const suite = root.ele('testsuite', { name: line(name), ...counts, timestamp, hostname: line(run.machine) });
  const properties = suite.ele('properties');
  const values: Record<string, string> = {
    lab: unique(where.map(({ lab }) => lab)),
    kernel: unique(where.map(({ kernel }) => kernel)),
    macvlab: run.macvlab,
    run: run.id,
    startedAt,
    ...(run.interrupted && { interrupted: 'true' }),
    ...Object.fromEntries(Object.entries(run.tools).map(([tool, version]) => [`tool.${tool}`, version])),
  };
  for (const [key, value] of Object.entries(values)) {
    properties.ele('property', { name: line(key), value: line(value) });
  }
  return suite;
}

function addTest(suite: XMLBuilder, folder: string, record: TestRecord, base: string): void {
  const name = line(`${record.id} ${record.title}`);
  const test = suite.ele('testcase', { classname: className(record), name, time: seconds(record.durationMs) });
  const { verdict, failure } = record;
  const message = failure?.message ?? record.reason ?? 'no reason was recorded';
  if (verdict === 'failed') addOutcome(test, 'failure', failure?.code ?? 'ASSERTION', message, failure);
  if (verdict === 'error') addOutcome(test, 'error', failure?.code ?? 'ERROR', message, failure);
  if (verdict === 'skipped') addOutcome(test, 'skipped', undefined, record.reason ?? message, failure);
  test.ele('system-out').txt([...propertyLines(record), ...attachmentLines(folder, record.evidence, base)].join('\n'));
}

/** The message stands in the body too: where an element has a body, GitLab shows that alone, Jenkins shows both. */
function addOutcome(
  test: XMLBuilder,
  element: 'failure' | 'error' | 'skipped',
  type: string | undefined,
  message: string,
  { details, next }: Partial<Failure> = {},
): void {
  const text = line(message);
  const body = [text, details && lines(details).trimEnd(), next && `next: ${line(next)}`].filter(Boolean);
  test.ele(element, { ...(type && { type: line(type) }), message: text }).txt(body.join('\n\n'));
}

function propertyLines(record: TestRecord): string[] {
  const values = {
    id: record.id,
    modes: record.modes.join(','),
    lab: record.lab,
    kernel: record.kernel,
    assertions: record.assertions,
    frames: record.frames,
    ...Object.fromEntries(Object.entries(record.observed).map(([key, value]) => [`observed.${key}`, value])),
    ...Object.fromEntries(Object.entries(record.measured ?? {}).map(([key, value]) => [`measured.${key}`, value])),
  };
  return Object.entries(values).map(([key, value]) => `[[PROPERTY|${line(key)}=${line(String(value))}]]`);
}

/** Of several attachments GitLab links the first alone, so that what shows most at a glance comes first. */
const byUse: Evidence['kind'][] = ['frames', 'pcap', 'repro', 'console', 'commands', 'links', 'counters'];

function attachmentLines(folder: string, evidence: Evidence[], base: string): string[] {
  const sorted = evidence.toSorted((a, b) => byUse.indexOf(a.kind) - byUse.indexOf(b.kind));
  return sorted.map(({ file }) => {
    const path = join(folder, file);
    const fromBase = relative(base, path);
    const outside = fromBase === '..' || fromBase.startsWith(`..${sep}`) || isAbsolute(fromBase);
    return `[[ATTACHMENT|${line(outside ? path : fromBase)}]]`;
  });
}

/** "suites/a1-modes.ts" as "suites.a1-modes": Jenkins takes what stands before the last dot as the package. */
function className({ file, suite }: TestRecord): string {
  const dotted = line(file)
    .replace(/\.[cm]?[jt]s$/, '')
    .split('/')
    .filter((part) => part && part !== '.');
  return dotted.join('.') || line(suite);
}

/**
 * Every ampersand is escaped here: xmlbuilder2 takes one that looks like the beginning of a reference for one, and so
 * would write a program's "&nbsp;" or "&#0;" as it is, which no XML parser accepts.
 */
function lines(text: string): string {
  return visible(text).replaceAll('&', '&amp;');
}

function line(text: string): string {
  return oneLine(text).replaceAll('&', '&amp;');
}

function unique(values: string[]): string {
  return [...new Set(values)].join(', ');
}

function totalMs(records: TestRecord[]): number {
  return records.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function seconds(milliseconds: number): string {
  return (Math.max(0, milliseconds) / 1000).toFixed(3);
}
