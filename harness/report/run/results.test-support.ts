/** Results for unit tests of reports: each field may be given; the defaults are those of a test that passed. */
import type { RunRecord, RunResults, TestRecord, Verdict } from '../../run/record.js';

export function aRun(given: Partial<RunRecord> = {}): RunRecord {
  return {
    schema: 1,
    id: '20261121-081500-4f2a',
    macvlab: '0.1.0',
    arguments: ['run'],
    lab: 'sandbox',
    kernel: '6.1.0',
    machine: 'bench1',
    tools: { iproute2: '6.1.0', tcpdump: '4.99.3' },
    startedAt: '2026-11-21T08:15:00.123Z',
    endedAt: '2026-11-21T08:15:01.357Z',
    durationMs: 1234,
    planned: 1,
    interrupted: false,
    ...given,
  };
}

export function aRecord(given: Partial<TestRecord> = {}): TestRecord {
  return {
    schema: 2,
    key: 'a1-vepa-to-sibling',
    number: 1,
    id: 'A1.3',
    title: 'two endpoints in vepa mode cannot ping each other',
    suite: 'A1 bridge, private and vepa on one node',
    file: 'suites/a1-modes.ts',
    modes: ['vepa'],
    verdict: 'passed',
    observed: { 'default mode': 'vepa' },
    lab: 'sandbox',
    kernel: '6.1.0',
    startedAt: '2026-11-21T08:15:00.500Z',
    durationMs: 34.4,
    assertions: 3,
    frames: 12,
    evidence: [],
    ...given,
  };
}

/** One record per verdict, numbered from 1, in a run that planned exactly these. */
export function resultsOf(verdicts: Verdict[], run: Partial<RunRecord> = {}): RunResults {
  const records = verdicts.map((verdict, index) => aRecord({ number: index + 1, id: `A1.${index + 1}`, verdict }));
  return { folder: '/reports/20261121-081500-4f2a', run: aRun({ planned: records.length, ...run }), records };
}
