/** `npm run audit [-- ID…]`: breaks the lab in one way at a time, and looks whether the suites notice. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { untilInterrupted } from '../cli/interruption.js';
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { asJson, makeFolders } from '../core/report-files.js';
import { installCommand, missingAuditTools } from '../setup/tools.mjs';
import { performAudit } from './audit.js';
import { isGreen } from './judge.js';
import { asMarkdown, type Audit } from './markdown.js';
import { printFinding, printSummary } from './print.js';
import type { Sabotage } from './sabotage.js';
import { sabotages } from './sabotages/catalogue.js';

const options = {
  lab: { type: 'string', default: 'sandbox' },
  out: { type: 'string', default: 'reports/audit' },
  jobs: { type: 'string' },
  markdown: { type: 'string' },
  with: { type: 'string' },
  list: { type: 'boolean', default: false },
} as const;

const usageLine =
  'npm run audit -- [ID…] [--list] [--lab sandbox|vm] [--jobs <number>] [--out <folder>] [--markdown <file> [--with <audit.json of another lab>]]';

process.exit(
  await main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${formatError(error)}\n`);
    return error instanceof MacvlabError ? error.exit : exitCode.lab;
  }),
);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  const chosen = select(positionals);
  if (values.list) {
    for (const { id, imitates } of chosen) process.stdout.write(`${id}: ${imitates}\n`);
    return exitCode.ok;
  }
  const lab = values.lab;
  if (lab !== 'sandbox' && lab !== 'vm') throw usage(`there is no audit in a lab "${lab}"`);
  const jobs = values.jobs === undefined ? availableParallelism() : Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw usage(`${values.jobs} is no number of labs`);
  if (lab === 'sandbox') refuseWithoutTools();
  const out = resolve(values.out);
  const other = values.with === undefined ? undefined : (JSON.parse(readFileSync(values.with, 'utf8')) as Audit);
  const began = performance.now();
  const findings = await performAudit({
    sabotages: chosen,
    module: new URL('sabotages/catalogue.js', import.meta.url).href,
    ...{ lab, jobs, out: emptied(join(out, 'runs')) },
    signal: untilInterrupted(),
    found: printFinding,
  });
  const audit: Audit = { lab, duration: Math.round(performance.now() - began), findings };
  writeFileSync(join(out, 'audit.json'), asJson(audit));
  if (values.markdown !== undefined) writeFileSync(values.markdown, asMarkdown(audit, other));
  printSummary(findings);
  return isGreen(findings) ? exitCode.ok : exitCode.failed;
}

/** A folder without anything in it. */
function emptied(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  makeFolders(join(folder, '..'));
  mkdirSync(folder);
  return folder;
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

/** The sabotages whose ids begin with one of the filters; all without any. */
function select(filters: readonly string[]): readonly Sabotage[] {
  for (const filter of filters)
    if (!sabotages.some(({ id }) => id.startsWith(filter))) throw usage(`no sabotage begins with "${filter}"`);
  const named = ({ id }: Sabotage) => filters.some((filter) => id.startsWith(filter));
  return filters.length === 0 ? sabotages : sabotages.filter(named);
}

function usage(message: string): MacvlabError {
  return new MacvlabError('USAGE', message, { next: usageLine });
}

function refuseWithoutTools(): void {
  const missing = missingAuditTools();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  throw new MacvlabError('TOOL_MISSING', `the audit needs ${names.join(', ')}, which this machine does not have`, {
    evidence: missing.map(({ name, purpose }) => `${name}: ${purpose}`).join('\n'),
    next: installCommand(names) ?? 'install them',
  });
}
