/** The common parts of all JUnit views: documents, suites, tests and their outcomes; see junit.ts for the conventions. */
import { isAbsolute, join, relative, sep } from 'node:path';
import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';
import type { Failure, TestRecord } from '../../run/record.js';
import { oneLine, visible } from '../text.js';

export interface JunitOptions {
  /**
   * The folder that paths of evidence are relative to, by default the current one. Both consumers resolve them from the
   * checkout, not from the XML file. GitLab documents "relative to $CI_PROJECT_DIR" (docs, "Unit test reports").
   * Jenkins takes `workspace.child(name)` (junit-attachments-plugin, GetTestDataMethodObject.java), which also takes an
   * absolute path. Evidence outside this folder therefore has an absolute path.
   */
  base?: string;
}

/** The root element. */
export interface DocumentAbout {
  name: string;
  tests: number;
  failures: number;
  errors: number;
  durationMs: number;
}

export interface SuiteAbout extends DocumentAbout {
  skipped: number;
  /** ISO 8601, UTC. */
  startedAt: string;
  machine: string;
  properties: Record<string, string>;
}

/** A whole document; the callback adds the suites. */
export function junitDocument(about: DocumentAbout, addSuites: (root: XMLBuilder) => void): string {
  const { name, tests, failures, errors, durationMs } = about;
  const attributes = { name: line(name), tests, failures, errors, time: seconds(durationMs) };
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', attributes);
  addSuites(root);
  return `${root.end({ prettyPrint: true })}\n`;
}

/** A suite with its properties, without tests yet. */
export function addSuite(root: XMLBuilder, about: SuiteAbout): XMLBuilder {
  const { name, tests, failures, errors, skipped, durationMs, startedAt, machine } = about;
  const counts = { tests, failures, errors, skipped, time: seconds(durationMs) };
  // UTC without zone or fraction: the only form that the strictest schema (Ant's) accepts; properties may have the full
  // time.
  const timestamp = line(startedAt.slice(0, 19));
  const suite = root.ele('testsuite', { name: line(name), ...counts, timestamp, hostname: line(machine) });
  const properties = suite.ele('properties');
  for (const [key, value] of Object.entries(about.properties)) {
    properties.ele('property', { name: line(key), value: line(value) });
  }
  return suite;
}

export function addTest(suite: XMLBuilder, className: string, name: string, durationMs: number): XMLBuilder {
  return suite.ele('testcase', { classname: line(className), name: line(name), time: seconds(durationMs) });
}

/** The body repeats the message: if an element has a body, GitLab shows only the body; Jenkins shows both. */
export function addOutcome(
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

/** The other data of a test: properties, and files by their paths; must be added last. */
export function addOutput(
  test: XMLBuilder,
  properties: Record<string, string | number | boolean>,
  attachments: string[],
): void {
  const values = Object.entries(properties).map(([key, value]) => `[[PROPERTY|${word(key)}=${word(String(value))}]]`);
  const files = attachments.map((path) => `[[ATTACHMENT|${word(path)}]]`);
  test.ele('system-out').txt([...values, ...files].join('\n'));
}

/** A path for the consumer: relative to the base if it is below that. */
export function pathFrom(base: string, folder: string, file: string): string {
  const path = join(folder, file);
  const fromBase = relative(base, path);
  const outside = fromBase === '..' || fromBase.startsWith(`..${sep}`) || isAbsolute(fromBase);
  return outside ? path : fromBase;
}

/** "suites/a1-modes.ts" as "suites.a1-modes": Jenkins takes the part before the last dot as the package. */
export function classNameOf({ file, suite }: Pick<TestRecord, 'file' | 'suite'>): string {
  const dotted = oneLine(file)
    .replace(/\.[cm]?[jt]s$/, '')
    .split('/')
    .filter((part) => part && part !== '.');
  return dotted.join('.') || oneLine(suite);
}

/**
 * Escapes every ampersand. xmlbuilder2 keeps one that looks like the beginning of a reference. It would write a
 * program's "&nbsp;" or "&#0;" unchanged, which no XML parser accepts.
 */
function lines(text: string): string {
  return visible(text).replaceAll('&', '&amp;');
}

function line(text: string): string {
  return oneLine(text).replaceAll('&', '&amp;');
}

/** Text between double brackets: it must not look like an attachment, because a consumer would read any path in it. */
function word(text: string): string {
  return line(text).replaceAll(/\[(?=\[)|\](?=\])|\[$|\]$/g, (bracket) => (bracket === '[' ? '(' : ')'));
}

function seconds(milliseconds: number): string {
  return (Math.max(0, milliseconds) / 1000).toFixed(3);
}
