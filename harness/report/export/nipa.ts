/**
 * A run as a result file of an external executor of NIPA, netdev's CI. The fields are those that contest/results-collector.py
 * and contest/remote/vmksft-p.py of github.com/linux-netdev/nipa read and write.
 */
import { groupBy } from '../../core/group.js';
import type { RunResults } from '../../run/record.js';
import { type ExportedTest, wholeRun } from './exported-tests.js';
import { sortedEvidence, urlOf } from './links.js';
import { statusWords, type StatusWords, worstOf } from './status.js';

export interface NipaOptions {
  /** The name of the executor, which NIPA's page shows. */
  executor: string;
  /** The tested branch, as branches.json names it. */
  branch: string;
  /** Where the run's folder is published. */
  urlBase: string;
}

interface NipaSubtest {
  test: string;
  result: StatusWords['nipa'];
  /** Seconds. */
  time?: number;
}

export interface NipaTest extends NipaSubtest {
  group: string;
  link: string;
  results?: NipaSubtest[];
}

export interface NipaResults {
  executor: string;
  branch: string;
  start: string;
  end: string;
  link: string;
  results: NipaTest[];
}

/** A run as NIPA's result file: a test for each article, with its experiments as subtests. */
export function nipaResults(
  { run }: RunResults,
  tests: readonly ExportedTest[],
  { executor, branch, urlBase }: NipaOptions,
): NipaResults {
  const articles = groupBy(tests, articleOf);
  return {
    executor,
    branch,
    start: run.startedAt,
    end: run.endedAt ?? run.startedAt,
    link: urlBase,
    results: [...articles].map(([article, members]) => ({
      test: article,
      group: 'macvlab',
      result: statusWords[worstOf(members.map(({ status }) => status))].nipa,
      link: linkOf(members, urlBase),
      time: seconds(members),
      ...(members.every(({ record }) => record) && { results: members.map(subtest) }),
    })),
  };
}

/** "A1" of "A1.3", in the characters that NIPA does not change. */
function articleOf({ record }: ExportedTest): string {
  if (!record) return wholeRun;
  const [article = ''] = record.id.split('.');
  return article.replace(/[^0-9a-zA-Z]+/g, '-') || 'test';
}

function subtest(test: ExportedTest): NipaSubtest {
  return { test: test.key, result: statusWords[test.status].nipa, time: seconds([test]) };
}

/** To the millisecond. */
function seconds(tests: readonly ExportedTest[]): number {
  return Math.round(tests.reduce((sum, { record }) => sum + (record?.durationMs ?? 0), 0)) / 1000;
}

/** The evidence of the test that decides the result, if there is any. */
function linkOf(members: readonly ExportedTest[], urlBase: string): string {
  const worst = worstOf(members.map(({ status }) => status));
  const evidence = members.find(({ status }) => status === worst)?.record?.evidence ?? [];
  const [first] = worst === 'passed' || worst === 'skipped' ? [] : sortedEvidence(evidence);
  return first ? urlOf(urlBase, first.file) : urlBase;
}
