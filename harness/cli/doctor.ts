/** `macvlab doctor`: what this machine has and lacks for a lab. */
import { release, userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { exitCode, MacvlabError, messageOf } from '../core/error.js';
import type { Finding } from '../lab/driver.js';
import { driverNames, loadDriver } from '../lab/drivers.js';
import { listKept } from '../lab/kept.js';
import { inventoryHelp, labOptions } from './lab-options.js';
import { colours, columns, say, sayJson } from './output.js';
import { version } from '../core/version.js';

/** Adds the command. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('find what this machine lacks for a lab, and how to get it')
    .addOption(new Option('--lab <name>', 'for which lab').choices(driverNames).default('sandbox'))
    .option('--inventory <file>', inventoryHelp)
    .option('--probe', 'for real hosts: also send ARP probes for the addresses that experiments would use')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit code 0 when nothing is missing, else 3.')
    .action(async ({ lab, json, inventory, probe }: DoctorOptions) => {
      if (probe && lab !== 'inventory') throw nothingToProbe(lab);
      const { checkArping, toolVersions } = await import('./tools.js');
      const driver = await loadDriver(lab, labOptions({ ...(inventory !== undefined && { inventory }) }));
      const [found, arping, tools] = await Promise.all([
        driver.check({ ...(probe && { probe }) }),
        // Real hosts have their own, which the driver asks for.
        lab === 'inventory' ? [] : checkArping(),
        toolVersions(),
      ]);
      const findings = [...found, ...arping];
      const about = {
        macvlab: version(),
        node: process.version,
        kernel: `${release()} (${process.arch})`,
        user: `${userInfo().username} (${process.geteuid?.()})`,
        ...tools,
        'kept labs': keptLabs(),
      };
      const ok = findings.every((finding) => finding.found);
      process.exitCode = ok ? exitCode.ok : exitCode.lab;
      if (json) sayJson({ lab, ok, findings: findings.map(withoutIdleAdvice), about });
      else show({ lab, ok, findings, about });
    });
}

interface DoctorOptions {
  lab: string;
  inventory?: string;
  probe?: true;
  json?: true;
}

/** Of real hosts, what is missing comes first. */
function show({
  lab,
  ok,
  findings,
  about,
}: {
  lab: string;
  ok: boolean;
  findings: readonly Finding[];
  about: Record<string, string>;
}): void {
  const { green, red } = colours();
  // Of a lab on real hosts, this machine's programs are the last to matter.
  const hosts = lab === 'inventory';
  if (!hosts) say(...columns(Object.entries(about)), '');
  const rows = findings.map(({ what, found, refused, detail }) => [
    found ? 'ok' : refused ? 'REFUSED' : 'MISSING',
    what,
    detail,
  ]);
  const lines = columns(rows);
  const missing = findings.filter(({ found }) => !found);
  const inOrder = hosts ? [...missing, ...findings.filter(({ found }) => found)] : findings;
  for (const finding of inOrder) {
    const { found, evidence, next } = finding;
    const line = lines[findings.indexOf(finding)] ?? '';
    say(found ? line.replace('ok', green('ok')) : line.replace(/^[A-Z]+/, (word) => red(word)));
    if (found) continue;
    if (evidence) say(evidence.trimEnd().replace(/^/gm, '         '));
    if (next) say(`         next: ${next}`);
  }
  if (hosts) say('', 'this machine', ...columns(Object.entries(about)));
  const count = missing.length;
  say('', ok ? `the ${lab} lab has all that it needs` : `the ${lab} lab lacks ${count} of ${findings.length} things`);
}

function nothingToProbe(lab: string): MacvlabError {
  return new MacvlabError('USAGE', `--probe was given, and the wire of the ${lab} lab is of macvlab’s own`, {
    next: 'leave it out, or choose the lab on real hosts: --lab inventory',
  });
}

/** What to do is only worth saying where something is missing. */
function withoutIdleAdvice({ next, ...finding }: Finding): Finding {
  return finding.found || next === undefined ? finding : { ...finding, next };
}

function keptLabs(): string {
  try {
    const labs = listKept().map(({ name, alive }) => (alive ? name : `${name} (dead)`));
    return labs.join(', ') || 'none';
  } catch (error) {
    return messageOf(error);
  }
}
