/** A run as a document of KCIDB, KernelCI's database (schema 5.3, kcidb_io/schema/v05_03.py of github.com/kernelci/kcidb-io). */
import type { KnownDifference } from '../../matrix/compare/known-difference.js';
import type { RunResults, TestRecord } from '../../run/record.js';
import { visible } from '../text.js';
import type { ExportedTest } from './exported-tests.js';
import { measurements, slugOf } from './measurements.js';
import { sortedEvidence, urlOf } from './links.js';
import { statusWords, type StatusWords } from './status.js';

/** The commit that was built, as KCIDB names its parts. */
export interface KernelCommit {
  git_commit_hash: string;
  git_commit_name?: string;
  git_repository_url?: string;
  git_repository_branch?: string;
  /** Of the changes that are not committed; empty if there are none. */
  patchset_hash: string;
}

export interface KcidbOptions {
  /** The name that KernelCI has given to the submitter: [a-z0-9_]+. */
  origin: string;
  /** Where the run's folder is published; without it, the document names no files. */
  urlBase?: string;
  /** Absent if the kernel was not built from a known tree. */
  commit?: KernelCommit;
}

interface Part {
  id: string;
  origin: string;
}

interface Resource {
  name: string;
  url: string;
}

export interface KcidbDocument {
  version: { major: 5; minor: 3 };
  checkouts: (Part & Partial<KernelCommit> & { comment: string; valid: true; start_time?: string })[];
  builds: (Part & { checkout_id: string; comment: string; status: 'PASS' })[];
  tests: KcidbTest[];
  issues: KcidbIssue[];
  incidents: (Part & { issue_id: string; issue_version: number; test_id: string; present: boolean })[];
}

export interface KcidbTest extends Part {
  build_id: string;
  path: string;
  status: StatusWords['kcidb'] | 'DONE';
  comment?: string;
  environment?: { comment: string; misc: Record<string, string> };
  number?: { value: number };
  start_time?: string;
  /** Seconds. */
  duration?: number;
  log_url?: string;
  log_excerpt?: string;
  output_files?: Resource[];
  misc?: Record<string, unknown>;
}

interface KcidbIssue extends Part {
  version: number;
  report_subject: string;
  culprit: { code: boolean; tool: boolean; harness: boolean };
  comment: string;
}

/** The longest `log_excerpt`. */
const longestExcerpt = 16_384;

/** A run as one document: a checkout and a build for each kernel, and a test for each record and measured number. */
export function kcidbDocument(
  results: RunResults,
  tests: readonly ExportedTest[],
  options: KcidbOptions,
): KcidbDocument {
  const { run } = results;
  const { origin, commit } = options;
  const part = (name: string): Part => ({ id: `${origin}:${run.id}-${name}`, origin });
  const kernels = new Map<string, string>();
  for (const test of tests) {
    const kernel = kernelOf(test, results);
    if (!kernels.has(kernel)) kernels.set(kernel, `kernel-${kernels.size + 1}`);
  }
  const buildOf = (test: ExportedTest) => part(`${kernels.get(kernelOf(test, results))}-build`).id;
  const judged = tests.flatMap((test) => (test.known ? [{ ...test, known: test.known }] : []));
  return {
    version: { major: 5, minor: 3 },
    checkouts: [...kernels].map(([kernel, name]) => ({
      ...part(name),
      ...commit,
      comment: `kernel ${text(kernel)}`,
      valid: true,
      ...timeOf(run.startedAt),
    })),
    builds: [...kernels].map(([kernel, name]) => ({
      ...part(`${name}-build`),
      checkout_id: part(name).id,
      comment: `kernel ${text(kernel)}`,
      status: 'PASS',
    })),
    tests: tests.flatMap((test): KcidbTest[] => [
      { ...part(nameOf(test)), build_id: buildOf(test), ...testOf(test, results, options) },
      ...measurements(test).map(({ slug: name, label, value }) => ({
        ...part(`${nameOf(test)}-${name}`),
        ...{ build_id: buildOf(test), path: `macvlab.${test.key}.${name}`, status: 'DONE' as const },
        ...{ comment: text(label), number: { value } },
        ...timeOf(test.record?.startedAt),
      })),
    ]),
    issues: distinct(judged.map(({ known }) => known)).map((known) => ({
      ...{ id: issueId(origin, known), origin, version: 1 },
      report_subject: text(known.name),
      culprit: { code: true, tool: false, harness: false },
      comment: text(`${known.reason} (kernels ${known.kernels}; source: ${known.source})`),
    })),
    incidents: judged.map((test) => ({
      ...part(`${nameOf(test)}-incident`),
      ...{ issue_id: issueId(origin, test.known), issue_version: 1, test_id: part(nameOf(test)).id },
      present: test.status === 'knownFailure',
    })),
  };
}

/** A test run, without the fields that link it to its build. */
function testOf(
  test: ExportedTest,
  { run }: RunResults,
  { urlBase }: KcidbOptions,
): Pick<KcidbTest, 'path' | 'status'> & Partial<KcidbTest> {
  const { key, status, reason, failure, record } = test;
  const excerpt = [failure?.message, failure?.details, failure?.next && `next: ${failure.next}`].filter(Boolean);
  const title = record ? `${record.id} ${record.title}` : 'the run as a whole';
  return {
    path: record ? `macvlab.${key}` : 'macvlab',
    status: statusWords[status].kcidb,
    comment: text(reason === undefined ? title : `${title}: ${reason}`),
    environment: {
      comment: text(`macvlab lab ${record?.lab ?? run.lab} on ${run.machine}`),
      misc: { platform: text(record?.lab ?? run.lab) },
    },
    ...timeOf(record?.startedAt ?? run.startedAt),
    ...(record && { duration: record.durationMs / 1000 }),
    ...(excerpt.length > 0 && { log_excerpt: text(excerpt.join('\n\n')).slice(0, longestExcerpt) }),
    ...filesOf(record, urlBase),
    misc: {
      macvlab: run.macvlab,
      arguments: run.arguments,
      tools: run.tools,
      ...(record && { modes: record.modes, observed: record.observed }),
    },
  };
}

function filesOf(
  record: TestRecord | undefined,
  base: string | undefined,
): Pick<KcidbTest, 'log_url' | 'output_files'> {
  if (!record || base === undefined) return {};
  const [log, ...others] = sortedEvidence(record.evidence);
  const resource = ({ file }: { file: string }) => ({
    name: text(file.split('/').at(-1) || 'file'),
    url: urlOf(base, file),
  });
  return {
    ...(log && { log_url: urlOf(base, log.file) }),
    ...(others.length > 0 && { output_files: others.map(resource) }),
  };
}

function kernelOf({ record }: ExportedTest, { run }: RunResults): string {
  return record?.kernel || run.kernel || 'unknown';
}

/** Unique in a run, also in one with a key twice. */
function nameOf({ key, record }: ExportedTest): string {
  return record ? `${record.number}-${key}` : key;
}

function issueId(origin: string, { name }: KnownDifference): string {
  return `${origin}:macvlab-${slugOf(name)}`;
}

function distinct(known: readonly KnownDifference[]): KnownDifference[] {
  return [...new Map(known.map((each) => [each.name, each])).values()];
}

/** A start time, if it is one. */
function timeOf(startedAt = ''): { start_time?: string } {
  return Number.isNaN(Date.parse(startedAt)) ? {} : { start_time: new Date(startedAt).toISOString() };
}

/** Text without control characters: the schema forbids NUL. */
function text(words: string): string {
  return visible(words);
}
