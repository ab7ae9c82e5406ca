/** A run as the results.yaml of a tmt test with `result: custom` (tmt/schemas/results.yaml). */
import { isAbsolute, join, relative } from 'node:path';
import { stringify } from 'yaml';
import type { RunResults } from '../../run/record.js';
import { oneLine } from '../text.js';
import type { ExportedTest } from './exported-tests.js';
import { sortedEvidence } from './links.js';
import { statusWords, type StatusWords } from './status.js';

export interface TmtResult {
  /** "/a1-bridge-to-gateway" */
  name: string;
  result: StatusWords['tmt']['result'];
  'original-result'?: 'fail';
  note?: string[];
  /** Relative to the folder of results.yaml; the first is the main log. */
  log?: string[];
  /** "HH:MM:SS" */
  duration?: string;
  'start-time'?: string;
  'end-time'?: string;
}

/**
 * A run as results.yaml.
 * @param base the folder of results.yaml; evidence outside of it is left out, because tmt copies only that folder
 */
export function tmtYaml(results: RunResults, tests: readonly ExportedTest[], base: string): string {
  return stringify(tmtResults(results, tests, base), { lineWidth: 0 });
}

/** The entries of results.yaml. */
export function tmtResults({ folder, run }: RunResults, tests: readonly ExportedTest[], base: string): TmtResult[] {
  return tests.map((test): TmtResult => {
    const { key, status, record } = test;
    const { result, original } = statusWords[status].tmt;
    const { startedAt, durationMs } = record ?? { startedAt: run.startedAt, durationMs: run.durationMs ?? 0 };
    const note = notes(test);
    const log = status === 'passed' ? [] : logs(test, folder, base);
    return {
      name: `/${key}`,
      result,
      ...(original && { 'original-result': original }),
      ...(note.length > 0 && { note }),
      ...(log.length > 0 && { log }),
      ...times(startedAt, durationMs),
    };
  });
}

function notes({ status, reason, failure, known, record }: ExportedTest): string[] {
  const isKnown = status === 'knownFailure' && failure !== undefined;
  const measured = Object.entries(record?.measured ?? {}).map(([name, value]) => `measured: ${name}: ${String(value)}`);
  return [
    ...(reason === undefined ? [] : [reason]),
    ...(isKnown ? [failure.message] : []),
    ...(known ? [`source: ${known.source}`] : []),
    ...(failure?.next === undefined ? [] : [`next: ${failure.next}`]),
    ...measured,
  ]
    .map(oneLine)
    .filter(Boolean);
}

function logs({ record }: ExportedTest, folder: string, base: string): string[] {
  const paths = sortedEvidence(record?.evidence ?? []).map(({ file }) => relative(base, join(folder, file)));
  return paths.filter((path) => path !== '' && path.split('/')[0] !== '..' && !isAbsolute(path));
}

/** Times in tmt's form; none if the record's time is not readable. */
function times(startedAt: string, durationMs: number): Pick<TmtResult, 'duration' | 'start-time' | 'end-time'> {
  const duration = clock(durationMs);
  const start = Date.parse(startedAt);
  if (Number.isNaN(start) || Math.abs(start + durationMs) > 8.64e15) return { duration };
  return { duration, 'start-time': withOffset(start), 'end-time': withOffset(start + durationMs) };
}

/** ISO 8601 with an offset: tmt's pattern has no "Z". */
function withOffset(time: number): string {
  return new Date(time).toISOString().replace('Z', '+00:00');
}

/** Rounded up: a test of 0.1 s must not take no time. */
function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
