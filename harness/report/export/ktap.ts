/**
 * A run as KTAP (Documentation/dev-tools/ktap.rst), in the form that all its readers take: flat, with "TAP version 13" as
 * the first line, as the kernel's own helpers write it (tools/testing/selftests/kselftest/ktap_helpers.sh).
 */
import { dirname, join } from 'node:path';
import { exitCode } from '../../core/error.js';
import type { RunResults } from '../../run/record.js';
import { visible } from '../text.js';
import type { ExportedTest } from './exported-tests.js';
import { statusWords, type StatusWords } from './status.js';

/** Exit codes of a selftest (tools/testing/selftests/kselftest.h); 5 is the error of NIPA's contest/remote/exec.py. */
const kselftestExit = { pass: exitCode.ok, fail: exitCode.failed, skip: 4, error: 5 } as const;

/** A run as KTAP, without a newline at its end. */
export function ktap({ folder, run }: Pick<RunResults, 'folder' | 'run'>, tests: readonly ExportedTest[]): string {
  const listed = tests.filter(({ record }) => record);
  const whole = tests.filter(({ record }) => !record);
  // Fewer results than planned is an error for every reader. It is meant as one, unless the run had to end early.
  const planned = whole.length > 0 ? Math.max(run.planned, listed.length) : listed.length;
  return [
    'TAP version 13',
    `1..${planned}`,
    ...listed.flatMap((test, index) => [...diagnostics(test, folder), resultLine(test, index + 1)]),
    ...whole.flatMap((test) => [...diagnostics(test, folder), `Bail out! ${harmless(test.reason ?? '')}`]),
    totals(tests),
  ].join('\n');
}

/**
 * The exit code of a selftest for these tests: 1 for a failure or a known difference that no longer occurs, 5 for an
 * error of the lab, 4 if all were skipped, otherwise 0. 130 if the run was interrupted.
 */
export function kselftestExitOf({ run }: Pick<RunResults, 'run'>, tests: readonly ExportedTest[]): number {
  if (run.interrupted) return exitCode.interrupted;
  const found = new Set(tests.map(({ status }) => statusWords[status].total));
  if (found.has('fail') || found.has('xpass')) return kselftestExit.fail;
  if (found.has('error') || found.size === 0) return kselftestExit.error;
  return found.size === 1 && found.has('skip') ? kselftestExit.skip : kselftestExit.pass;
}

function resultLine({ key, status, reason = '', record }: ExportedTest, number: number): string {
  const { line, directive } = statusWords[status].ktap;
  // NIPA's contest/remote/lib/results.py reads the time there.
  const after = directive ? `${directive} ${harmless(reason)}`.trim() : `time=${Math.round(record?.durationMs ?? 0)}ms`;
  return `${line} ${number} ${key} # ${after}`;
}

/** Lines before the result: what was measured, and the failure in full. */
function diagnostics({ key, status, reason, failure, record }: ExportedTest, folder: string): string[] {
  const measured = Object.entries(record?.measured ?? {}).map(([name, value]) => `${key}: ${name}: ${String(value)}`);
  const hasFailed = status !== 'passed' && status !== 'skipped';
  if (!hasFailed) return measured.map(comment);
  const evidence = record?.evidence[0]?.file;
  const repro = record?.evidence.find(({ kind }) => kind === 'repro')?.file;
  const message = failure?.message ?? reason;
  return [
    ...measured,
    ...(record ? [`${record.id} ${record.title}`] : []),
    ...(message === undefined ? [] : [message]),
    ...(failure?.details === undefined ? [] : visible(failure.details).trimEnd().split('\n')),
    ...(failure?.next === undefined ? [] : [`next: ${failure.next}`]),
    ...(evidence === undefined ? [] : [`evidence: ${join(folder, dirname(evidence))}`]),
    ...(repro === undefined ? [] : [`repeat: sh ${join(folder, repro)}`]),
  ].map(comment);
}

/** A diagnostic line. It is indented, so that no reader takes a program's output for a result. */
function comment(text: string): string {
  return `#   ${harmless(text)}`.trimEnd();
}

/** A line without the words that readers search for in the whole output (NIPA: guess_indicators). */
function harmless(text: string): string {
  return visible(text)
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\[(fail|skip|pass|okay|ok)\]/gi, '($1)')
    .replace(/\[ ok \]/gi, '(ok)')
    .replace(/(FAIL|SKIP):/g, '$1 -')
    .replace(/PASSED all/g, 'passed all')
    .replace(/#(?= )/g, '-');
}

function totals(tests: readonly ExportedTest[]): string {
  const names: StatusWords['total'][] = ['pass', 'fail', 'xfail', 'xpass', 'skip', 'error'];
  const found = tests.map(({ status }) => statusWords[status].total);
  return `# Totals: ${names.map((name) => `${name}:${found.filter((each) => each === name).length}`).join(' ')}`;
}
