/** `macvlab doctor`: checks this machine for a lab’s prerequisites. */
import { release, userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { exitCode, MacvlabError, messageOf } from '../core/error.js';
import type { Prerequisite } from '../machine/driver.js';
import { driverNames, loadDriver } from '../machine/drivers.js';
import { listDetached } from '../machine/detached/detached-labs.js';
import { sharedOptions } from '../machine/options.js';
import { labOption } from './lab-options.js';
import { exitsWith } from './exits-with.js';
import { colours, print, printJson } from './output.js';
import { columns } from '../report/width.js';
import { version } from '../core/version.js';

/** Adds the command. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check this machine for a lab’s prerequisites, and show how to install them')
    .addOption(new Option('--lab <name>', 'for which lab').choices(driverNames).default('sandbox'))
    .addOption(labOption(sharedOptions.inventory))
    .option('--probe', 'for real hosts: also send ARP probes for the addresses that experiments would use')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit code 0 if all prerequisites are met, else 3.')
    .action(
      exitsWith(async ({ lab, json, inventory, probe }: DoctorOptions) => {
        if (probe && lab !== 'inventory') throw nothingToProbe(lab);
        const { checkArping, toolVersions } = await import('./tools.js');
        const driver = await loadDriver(lab, inventory === undefined ? {} : { inventory });
        const [found, arping, tools] = await Promise.all([
          driver.check({ ...(probe && { probe }) }),
          // Real hosts have an arping of their own; the driver checks the hosts.
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
        if (json) printJson({ lab, ok, findings: findings.map(withoutIdleAdvice), about });
        else show({ lab, ok, findings, about });
        return ok ? exitCode.ok : exitCode.lab;
      }),
    );
}

interface DoctorOptions {
  lab: string;
  inventory?: string;
  probe?: true;
  json?: true;
}

/** Prints the findings. For real hosts, missing prerequisites come first. */
function show({
  lab,
  ok,
  findings,
  about,
}: {
  lab: string;
  ok: boolean;
  findings: readonly Prerequisite[];
  about: Record<string, string>;
}): void {
  const { green, red } = colours();
  // For a lab on real hosts, this machine's programs come last.
  const hosts = lab === 'inventory';
  if (!hosts) print(...columns(Object.entries(about)), '');
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
    print(found ? line.replace('ok', green('ok')) : line.replace(/^[A-Z]+/, (word) => red(word)));
    if (found) continue;
    if (evidence) print(evidence.trimEnd().replace(/^/gm, '         '));
    if (next) print(`         next: ${next}`);
  }
  if (hosts) print('', 'this machine', ...columns(Object.entries(about)));
  const count = missing.length;
  print('', ok ? `the ${lab} lab has all that it needs` : `the ${lab} lab lacks ${count} of ${findings.length} things`);
}

function nothingToProbe(lab: string): MacvlabError {
  return new MacvlabError('USAGE', `--probe was given, and the wire of the ${lab} lab is of macvlab’s own`, {
    next: 'leave it out, or choose the lab on real hosts: --lab inventory',
  });
}

/** Omits the advice if nothing is missing. */
function withoutIdleAdvice({ next, ...finding }: Prerequisite): Prerequisite {
  return finding.found || next === undefined ? finding : { ...finding, next };
}

function keptLabs(): string {
  try {
    const labs = listDetached().map(({ name, alive }) => (alive ? name : `${name} (dead)`));
    return labs.join(', ') || 'none';
  } catch (error) {
    return messageOf(error);
  }
}
