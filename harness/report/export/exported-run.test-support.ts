/** A run with one test of each status, for tests of exports. */
import type { KnownDifference } from '../../matrix/compare/known-difference.js';
import type { RunResults } from '../../run/record.js';
import { aRecord, aRun } from '../run/results.test-support.js';
import { type ExportedTest, exportedTests } from './exported-tests.js';

const known: readonly KnownDifference[] = [
  {
    name: 'source lists are patched out',
    about: { experiment: 'x4-known' },
    kernels: '<6.2',
    expected: 'failed',
    reason: 'our kernel has no source lists',
    source: 'our patch 12',
  },
  {
    name: 'no reflection here',
    about: { experiment: 'x5-passes' },
    kernels: '<6.2',
    expected: 'failed',
    reason: 'the port did not reflect',
    source: 'our patch 13',
  },
];

const failure = {
  code: 'ASSERTION',
  message: 'expected the ping to be lost, but it was answered',
  details: 'node1/eth1 out  [FAIL] ARP\nnot ok 9 SKIP: # SKIP nothing',
  next: 'look at the frames',
};

const evidence = [
  { kind: 'pcap' as const, file: 'evidence/002-a1.2/a1.2-node1 eth1.pcap', title: 'frames' },
  { kind: 'frames' as const, file: 'evidence/002-a1.2/a1.2-frames.txt', title: 'all frames' },
];

/** The keys of its tests, by the status that each has. */
export const keys = {
  passed: 'a1-passes',
  failed: 'a1-fails',
  knownFailure: 'x4-known',
  unexpectedPass: 'x5-passes',
  skipped: 'a1-skipped',
  error: 'a1-error',
  missing: 'macvlab-run',
} as const;

/** A run of seven planned tests, of which six have a record, each with another status. */
export function runOfEachStatus(folder = '/reports/20261121-081500-4f2a'): RunResults {
  const records = [
    aRecord({ key: keys.passed, id: 'A1.1', measured: { 'bridge: bytes sent': 1680, why: 'text' } }),
    aRecord({ key: keys.failed, id: 'A1.2', verdict: 'failed', reason: failure.message, failure, evidence }),
    aRecord({ key: keys.knownFailure, id: 'X4.1', verdict: 'failed', reason: failure.message, failure }),
    aRecord({ key: keys.unexpectedPass, id: 'X5.1' }),
    aRecord({ key: keys.skipped, id: 'A1.5', verdict: 'skipped', reason: 'no hairpin' }),
    aRecord({
      ...{ key: keys.error, id: 'A1.6', verdict: 'error', reason: '3 frames lost' },
      failure: { code: 'CAPTURE_DROPPED', message: '3 frames lost' },
    }),
  ];
  return {
    folder,
    run: aRun({ planned: 7 }),
    records: records.map((record, index) => ({ ...record, number: index + 1 })),
  };
}

/** The tests of a run with these known differences. */
export function testsOf(results: RunResults): ExportedTest[] {
  return exportedTests(results, known);
}
