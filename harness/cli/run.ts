/** `macvlab run`: performs experiments. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { exitCode, MacvlabError } from '../core/error.js';
import type { LabDriver } from '../lab/driver.js';
import { labNames, loadDrivers } from '../lab/drivers.js';
import { writeKept } from '../lab/kept.js';
import type { Beforehand } from '../lab/rehearsal.js';
import { type MacvlanMode, macvlanModes } from '../link/macvlan.js';
import type { Selection } from '../run/catalogue.js';
import { type Keep, keepChoices } from '../run/plan.js';
import { setUpAtWork } from '../setup/lock.mjs';
import { configFileName, readConfig } from './config-file.js';
import { untilInterrupted } from './interruption.js';
import { addLabOptions, type GivenLabOptions, labOptions } from './lab-options.js';
import { positiveNumber } from './number-argument.js';
import { remark } from './output.js';
import { type ReporterName, reporterNames } from './reporter-names.js';

/** Options as commander gives them: absent where the command line does not say. */
interface RunOptions extends GivenLabOptions {
  lab?: string;
  mode?: MacvlanMode;
  jobs?: number;
  bail?: boolean;
  bisect?: true;
  probeFeatures?: true;
  allowCut?: true;
  dryRun?: true;
  details?: true;
  keep?: Keep;
  reporter?: ReporterName[];
  out?: string;
  config?: string;
}

const defaults = { lab: 'auto', bail: false, keep: 'never', reporter: ['terminal'], out: 'reports' } as const;

const examples = `
Options may also stand in ${configFileName}, by their long names; the command line wins.

Examples:
  macvlab run A1                       all experiments of an article
  macvlab run A1.3 --keep on-failure   leaves the lab as a failure has left it: macvlab lab shell node1
  macvlab run --reporter json >r.json  results as JSON; progress goes nowhere
  macvlab run --reporter lines         one line per experiment
  macvlab run --lab inventory --dry-run A1
                                       what would be done on the hosts of inventory.yaml
  git bisect run macvlab run --kernel . --bisect A1.3
                                       finds the commit; exits 0 good, 1 bad, 125 cannot tell, 128 wrong usage`;

/** Adds the command. */
export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('perform experiments, and write their records and reports')
    .argument(
      '[filters...]',
      'ids (A1.3, or A1 for all of an article) or parts of titles; without any, all experiments',
    )
    .addOption(new Option('--lab <name>', `where (default: ${defaults.lab}, the cheapest that can)`).choices(labNames));
  addLabOptions(command)
    .addOption(new Option('--mode <mode>', 'only experiments about this macvlan mode').choices(macvlanModes))
    .option(
      '--jobs <number>',
      'labs used side by side, one suite file in each (default: as many as there are processors for)',
      positiveNumber,
    )
    .option('--bail', 'end at the first that does not pass')
    .option('--no-bail', 'perform all, whatever the configuration file says')
    .option('--bisect', 'end with the exit codes that `git bisect run` takes')
    .option('--probe-features', 'also try what the kernel makes of each macvlan and switch feature, for run.json')
    .option('--allow-cut', 'for real hosts: experiments may cut the SSH connection, with a rollback on the host itself')
    .option('--dry-run', 'for real hosts: print what would be done on each, and ask none of them')
    .option('--details', 'with --dry-run: scripts in full, and how hosts are reached')
    .addOption(
      new Option('--keep <when>', `leave the lab running afterwards (default: ${defaults.keep})`).choices(keepChoices),
    )
    .addOption(
      new Option(
        '--reporter <names>',
        `what to show: ${reporterNames.join(', ')}, or several (default: ${defaults.reporter.join()})`,
      ).argParser(reporters),
    )
    .option('--out <folder>', `where the run's own folder is made (default: ${defaults.out})`)
    .option('--config <file>', `options to begin with (default: ${configFileName}, if there)`)
    .addHelpText('after', examples)
    .action(async (filters: string[], given: RunOptions) => {
      const options = { ...defaults, ...readConfig(given.config), ...given };
      if (options.out === '') {
        throw new MacvlabError('USAGE', 'the folder for reports has an empty name', {
          next: 'name a folder with --out',
        });
      }

      if (options.bisect) refuseForBisect(filters, options.keep);

      // What help and a wrong command line do not need is only loaded here.
      const [{ Reporters }, { perform }, { exitCodeOf }, { bisectExitOf }] = await Promise.all([
        import('./reporters.js'),
        import('../run/perform.js'),
        import('../report/outcome.js'),
        import('../report/bisect-exit.js'),
      ]);
      const shown = new Reporters(options.reporter);
      const note = (line: string) => shown.listener.remark(line);
      const drivers = await loadDrivers(options.lab, {
        ...labOptions(options),
        ...(options.allowCut && { allowCut: true }),
        mayBeKept: options.keep !== 'never',
        remark: note,
      });
      const setUp = await setUpAtWork(fileURLToPath(new URL('../../..', import.meta.url)));
      if (setUp && drivers.length === 1) {
        remark('a set-up is at work in this checkout; waiting for it to end');
        await setUp.end;
      }
      // A commit whose tree has no kernel in it is no mistake of the command line.
      if (!options.bisect || !(await isOwn(options.kernel))) await refuseWrongKernel(drivers);
      const [cheapest] = drivers;
      const jobs = options.jobs ?? Math.max(1, Math.floor(availableParallelism() / (cheapest?.processors ?? 1)));
      const plan = {
        filters,
        ...(options.mode && { mode: options.mode }),
        ...{ lab: options.lab, jobs, bail: options.bail, keep: options.keep },
        arguments: process.argv.slice(2),
      };
      if (options.dryRun) {
        const { printDryRun } = await import('./dry-run.js');
        const signal = untilInterrupted('the rehearsal ends');
        await printDryRun(drivers, { ...plan, signal }, options.details === true);
        return;
      }
      if (cheapest?.beforehand) remark(...(await statementFor(cheapest.beforehand, plan)));
      const results = await perform(
        {
          ...plan,
          ...(setUp && drivers.length > 1 && { setUp: setUp.end }),
          ...(options.probeFeatures && { probeFeatures: true }),
          out: resolve(options.out),
          signal: untilInterrupted('the run ends, and writes its reports'),
          listener: shown.listener,
        },
        drivers,
      );
      const { kept, ...records } = results;
      shown.end(records);
      process.exitCode = exitCodeOf(records);
      if (options.bisect) {
        const { exit, words } = bisectExitOf(records);
        process.exitCode = exit;
        remark(`bisect: ${words} (exit code ${exit})`);
      }
      for (const [index, left] of kept.entries()) {
        const name = kept.length > 1 ? `${records.run.id}-${index + 1}` : records.run.id;
        await writeKept({ ...left, name });
        remark(`a lab is left running: macvlab lab shell node1 --name ${name}`);
        remark(`                       macvlab lab down --name ${name}`);
      }
    });
}

/** What is said of a run on somebody's hosts before they are asked: as far as the chosen experiments use it. */
async function statementFor({ statement }: Beforehand, plan: Selection): Promise<string[]> {
  const { loadCatalogue, select } = await import('../run/catalogue.js');
  return statement(select(await loadCatalogue(), plan).map(({ id }) => id));
}

/** The reporters that one use of `--reporter` names, behind those before: a filter may follow it. */
function reporters(value: string, before: readonly ReporterName[] = []): ReporterName[] {
  const names = value.split(',').map((word) => reporterNames.find((name) => name === word.trim()));
  const known = names.filter((name) => name !== undefined);
  if (known.length < names.length) throw new InvalidArgumentError(`Allowed choices are ${reporterNames.join(', ')}.`);
  return [...before, ...known];
}

/** @throws MacvlabError USAGE for what makes no sense at every commit of a bisection */
function refuseForBisect(filters: readonly string[], keep: Keep): void {
  if (filters.length === 0) {
    throw new MacvlabError('USAGE', '--bisect was given, and no experiment', {
      next: 'name the one that tells good from bad: --bisect A1.3',
    });
  }
  if (keep !== 'never') {
    throw new MacvlabError('USAGE', '--bisect was given, and a lab would be left running at each commit', {
      next: 'add --keep never, and look at a commit’s lab by hand afterwards',
    });
  }
}

async function isOwn(kernel: string | undefined): Promise<boolean> {
  return kernel !== undefined && (await import('../kernel/resolve.js')).isPath(kernel);
}

/**
 * Prepares the lab where there is no choice of labs, so that a kernel that does not exist is told before anything is made.
 * What else is wrong with a lab is a result of the run.
 * @throws MacvlabError of wrong usage
 */
async function refuseWrongKernel([only, ...others]: readonly LabDriver[]): Promise<void> {
  if (others.length > 0) return;
  await only?.prepare?.().catch((error: unknown) => {
    if (error instanceof MacvlabError && error.exit === exitCode.usage) throw error;
  });
}
