/** `npm run audit [-- ID…]`: breaks the lab in one way at a time, and looks whether the suites notice. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { asJson, makeFolders } from '../core/report-files.js';
import { performAudit } from './audit.js';
import type { Finding } from './judge.js';
import { isGreen, printFinding, printSummary } from './print.js';
import type { Sabotage } from './sabotage.js';
import { sabotages } from './sabotages/catalogue.js';

const options = {
  lab: { type: 'string', default: 'sandbox' },
  out: { type: 'string', default: 'reports/audit' },
  jobs: { type: 'string' },
  list: { type: 'boolean', default: false },
} as const;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${formatError(error)}\n`);
  return error instanceof MacvlabError ? error.exit : exitCode.lab;
});

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  const chosen = select(positionals);
  if (values.list) {
    for (const { id, imitates } of chosen) process.stdout.write(`${id}: ${imitates}\n`);
    return exitCode.ok;
  }
  const lab = values.lab;
  if (lab !== 'sandbox' && lab !== 'vm') throw usage(`there is no audit in a lab "${lab}"`, 'choose sandbox or vm');
  const out = resolve(values.out);
  const runs = join(out, 'runs');
  rmSync(runs, { recursive: true, force: true });
  makeFolders(out);
  mkdirSync(runs);
  const jobs = values.jobs === undefined ? availableParallelism() : Number(values.jobs);
  const began = performance.now();
  const module = new URL('sabotages/catalogue.js', import.meta.url).href;
  const found = (finding: Finding) => printFinding(finding);
  const findings = await performAudit({ sabotages: chosen, module, lab, out: runs, jobs, found });
  writeFileSync(join(out, 'audit.json'), asJson({ lab, duration: Math.round(performance.now() - began), findings }));
  printSummary(findings);
  return isGreen(findings) ? exitCode.ok : exitCode.failed;
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error), 'npm run audit -- --list shows the sabotages');
  }
}

/** The sabotages whose ids begin with one of the filters; all without any. */
function select(filters: readonly string[]): readonly Sabotage[] {
  for (const filter of filters) {
    if (!sabotages.some(({ id }) => id.startsWith(filter)))
      throw usage(`no sabotage begins with "${filter}"`, 'npm run audit -- --list shows them');
  }
  return filters.length === 0
    ? sabotages
    : sabotages.filter(({ id }) => filters.some((filter) => id.startsWith(filter)));
}

function usage(message: string, next: string): MacvlabError {
  return new MacvlabError('USAGE', message, { next });
}
