/** `macvlab doctor`: what this machine has and lacks for a lab. */
import { release, userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { exitCode, messageOf } from '../core/error.js';
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
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit code 0 when nothing is missing, else 3.')
    .action(async ({ lab, json, inventory }: { lab: string; json?: true; inventory?: string }) => {
      const { checkArping, toolVersions } = await import('./tools.js');
      const driver = await loadDriver(lab, labOptions({ ...(inventory !== undefined && { inventory }) }));
      const [found, arping, tools] = await Promise.all([
        driver.check(),
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
      else show(lab, ok, findings, about);
    });
}

function show(lab: string, ok: boolean, findings: readonly Finding[], about: Record<string, string>): void {
  const { green, red } = colours();
  say(...columns(Object.entries(about)), '');
  const lines = columns(findings.map(({ what, found, detail }) => [found ? 'ok' : 'MISSING', what, detail]));
  for (const [index, { found, next }] of findings.entries()) {
    const line = lines[index] ?? '';
    say(found ? line.replace('ok', green('ok')) : line.replace('MISSING', red('MISSING')));
    if (!found && next) say(`         next: ${next}`);
  }
  const missing = findings.filter(({ found }) => !found).length;
  say('', ok ? `the ${lab} lab has all that it needs` : `the ${lab} lab lacks ${missing} of ${findings.length} things`);
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
