/** The actions of `macvlab export`. */
import { dirname, resolve } from 'node:path';
import { writeWhole, writing } from '../../core/report-files.js';
import { type ExportedTest, exportedTests } from '../../report/export/exported-tests.js';
import { kcidbDocument } from '../../report/export/kcidb.js';
import { ktap } from '../../report/export/ktap.js';
import { lavaSignals } from '../../report/export/lava.js';
import { nipaResults } from '../../report/export/nipa.js';
import { tmtYaml } from '../../report/export/tmt.js';
import { readKnownDifferences, withOwnDifferences } from '../../matrix/compare/known-differences-file.js';
import type { RunResults } from '../../run/record.js';
import { readEndedRun } from './ended-run.js';
import { commitOf } from './kernel-tree.js';

export interface ExportOptions {
  known?: string;
  out?: string;
}

export interface NipaWords extends ExportOptions {
  executor: string;
  branch: string;
  urlBase: string;
}

export interface KcidbWords extends ExportOptions {
  origin: string;
  urlBase?: string;
  tree?: string;
}

/** Writes a run as KTAP. @throws MacvlabError USAGE, OUT_NOT_WRITABLE */
export async function exportKtap(run: string, options: ExportOptions): Promise<void> {
  await write(run, options, (results, tests) => ktap(results, tests));
}

/** Writes a run for NIPA. @throws MacvlabError USAGE, OUT_NOT_WRITABLE */
export async function exportNipa(run: string, options: NipaWords): Promise<void> {
  await write(run, options, (results, tests) => json(nipaResults(results, tests, options)));
}

/** Writes a run for KCIDB. @throws MacvlabError USAGE, OUT_NOT_WRITABLE; PROGRAM_FAILED if git fails */
export async function exportKcidb(run: string, { tree, ...options }: KcidbWords): Promise<void> {
  const commit = tree === undefined ? {} : { commit: await commitOf(tree) };
  await write(run, options, (results, tests) => json(kcidbDocument(results, tests, { ...options, ...commit })));
}

/** Writes a run for tmt. @throws MacvlabError USAGE, OUT_NOT_WRITABLE */
export async function exportTmt(run: string, options: ExportOptions): Promise<void> {
  const base = dirname(resolve(options.out ?? 'results.yaml'));
  await write(run, options, (results, tests) => tmtYaml(results, tests, base).trimEnd());
}

/** Writes a run for LAVA. @throws MacvlabError USAGE, OUT_NOT_WRITABLE */
export async function exportLava(run: string, options: ExportOptions): Promise<void> {
  await write(run, options, (_, tests) => lavaSignals(tests));
}

async function write(
  run: string,
  { known, out }: ExportOptions,
  view: (results: RunResults, tests: readonly ExportedTest[]) => string,
): Promise<void> {
  const differences = withOwnDifferences(known === undefined ? [] : readKnownDifferences(known));
  const results = await readEndedRun(run);
  const text = `${view(results, exportedTests(results, differences))}\n`;
  if (out === undefined || out === '-') process.stdout.write(text);
  else writing(dirname(resolve(out)), () => writeWhole(resolve(out), text));
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
