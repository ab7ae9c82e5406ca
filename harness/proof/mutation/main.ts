/** `npm run mutation [-- ID…]`: breaks the lab in one way at a time, and checks whether the suites detect it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { untilInterrupted } from '../../cli/interruption.js';
import { exitCode, MacvlabError } from '../../core/error.js';
import { asJson, makeFolders } from '../../core/report-files.js';
import { installCommand, missingAuditTools } from '../../setup/tools.mjs';
import { parseTool, runTool, usage, wholeNumber } from '../tool.js';
import { runMutationTests } from './mutation-tests.js';
import { isGreen } from './judge.js';
import { asMarkdown, type MutationResults } from './markdown.js';
import { printFinding, printSummary } from './print.js';
import type { Fault } from './fault.js';
import { faults } from './faults/catalogue.js';

const options = {
  lab: { type: 'string', default: 'sandbox' },
  out: { type: 'string', default: 'reports/mutation' },
  jobs: { type: 'string' },
  markdown: { type: 'string' },
  with: { type: 'string' },
  list: { type: 'boolean', default: false },
} as const;

const usageLine =
  'npm run mutation -- [ID…] [--list] [--lab sandbox|vm] [--jobs <number>] [--out <folder>] [--markdown <file> [--with <mutation.json of another lab>]]';

process.exit(await runTool(main));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseTool(args, options);
  const chosen = select(positionals);
  if (values.list) {
    for (const { id, imitates } of chosen) process.stdout.write(`${id}: ${imitates}\n`);
    return exitCode.ok;
  }
  const lab = values.lab;
  if (lab !== 'sandbox' && lab !== 'vm') throw usage(`there are no mutation tests in a lab "${lab}"`, usageLine);
  const jobs = values.jobs === undefined ? availableParallelism() : wholeNumber('jobs', values.jobs);
  if (lab === 'sandbox') refuseWithoutTools();
  const out = resolve(values.out);
  const other =
    values.with === undefined ? undefined : (JSON.parse(readFileSync(values.with, 'utf8')) as MutationResults);
  const began = performance.now();
  const findings = await runMutationTests({
    faults: chosen,
    module: new URL('./faults/catalogue.js', import.meta.url).href,
    ...{ lab, jobs, out: emptied(join(out, 'runs')) },
    signal: untilInterrupted(),
    found: printFinding,
  });
  const results: MutationResults = { lab, duration: Math.round(performance.now() - began), findings };
  writeFileSync(join(out, 'mutation.json'), asJson(results));
  if (values.markdown !== undefined) writeFileSync(values.markdown, asMarkdown(results, other));
  printSummary(findings);
  return isGreen(findings) ? exitCode.ok : exitCode.failed;
}

/** Makes an empty folder, and returns its path. */
function emptied(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  makeFolders(join(folder, '..'));
  mkdirSync(folder);
  return folder;
}

/** The faults whose ids begin with one of the filters; all faults if there is no filter. */
function select(filters: readonly string[]): readonly Fault[] {
  for (const filter of filters)
    if (!faults.some(({ id }) => id.startsWith(filter))) throw usage(`no fault begins with "${filter}"`, usageLine);
  const named = ({ id }: Fault) => filters.some((filter) => id.startsWith(filter));
  return filters.length === 0 ? faults : faults.filter(named);
}

function refuseWithoutTools(): void {
  const missing = missingAuditTools();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  throw new MacvlabError('TOOL_MISSING', `mutation tests need ${names.join(', ')}, which this machine does not have`, {
    evidence: missing.map(({ name, purpose }) => `${name}: ${purpose}`).join('\n'),
    next: installCommand(names) ?? 'install them',
  });
}
