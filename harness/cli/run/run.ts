/** `macvlab run`: runs experiments. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { exitCode, MacvlabError } from '../../core/error.js';
import type { LabDriver } from '../../machine/driver.js';
import { attachedDriver, labNames, loadDriver, loadDrivers } from '../../machine/drivers.js';
import { type ChosenOptions, chosenOptions, optionsOfRun, sharedOptions } from '../../machine/options.js';
import { findDetached, writeDetached } from '../../machine/detached/detached-labs.js';
import type { Preflight } from '../../machine/preflight.js';
import { type MacvlanMode, macvlanModes } from '../../link/macvlan.js';
import type { Selection } from '../../run/suite/catalogue.js';
import { type Keep, keepChoices } from '../../run/plan.js';
import { setUpAtWork } from '../../setup/lock.mjs';
import { configFileName, readConfig } from '../config-file.js';
import { untilInterrupted } from '../interruption.js';
import { addLabOptions } from '../lab-options.js';
import { positiveNumber } from '../number-argument.js';
import { exitsWith } from '../exits-with.js';
import { notice } from '../output.js';
import { type ReporterName, reporterNames } from './reporter-names.js';

/** Options from commander: absent if the command line does not contain them. */
interface RunOptions extends ChosenOptions {
  lab?: string;
  mode?: MacvlanMode;
  jobs?: number;
  bail?: boolean;
  bisect?: true;
  probeFeatures?: true;
  dryRun?: true;
  details?: true;
  keep?: Keep;
  pauseOnFailure?: true;
  watch?: true;
  attach?: string;
  reporter?: ReporterName[];
  captureTo?: string;
  pcapPerPoint?: boolean;
  exit?: (typeof exitSchemes)[number];
  known?: string;
  out?: string;
  config?: string;
}

/** The folder of the checkout, or of the package. */
const checkout = fileURLToPath(new URL('../../../..', import.meta.url));

/** Whose exit codes a run has. */
const exitSchemes = ['macvlab', 'kselftest'] as const;

const defaults = { lab: 'auto', bail: false, keep: 'never', reporter: ['terminal'], out: 'reports' } as const;

const examples = `
${configFileName} can contain options, with their long names. The command line overrides it.

Examples:
  macvlab run A1                       all experiments of an article
  macvlab run A1.3 --keep on-failure   keeps the lab of the first failure: macvlab lab shell node1
  macvlab run --reporter json >r.json  results as JSON on standard output
  macvlab run --reporter lines         one line per experiment
  macvlab run A1 --capture-to - | wireshark -k -i -
                                       all frames live in one window; messages go to standard error
  macvlab run --reporter ktap --exit kselftest A1
                                       output and exit code of a selftest of the kernel
  macvlab run --lab inventory --dry-run A1
                                       print the commands for the hosts of inventory.yaml
  git bisect run macvlab run --kernel . --bisect A1.3
                                       find the commit; exits 0 good, 1 bad, 125 no statement, 128 wrong usage`;

/** Adds the command. */
export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('run experiments, and write their records and reports')
    .argument(
      '[filters...]',
      'keys, ids (A1.3, or A1 for all of an article) or parts of titles; without any, all experiments',
    )
    .addOption(
      new Option(
        '--lab <name>',
        `where (default: ${defaults.lab}: the sandbox if it supports the suite, else a guest)`,
      ).choices(labNames),
    );
  addLabOptions(command, { ...sharedOptions, ...optionsOfRun })
    .addOption(new Option('--mode <mode>', 'only experiments about this macvlan mode').choices(macvlanModes))
    .option('--jobs <number>', 'labs in parallel, one suite file in each (default: by processors)', positiveNumber)
    .option('--bail', 'stop after the first test that does not pass')
    .option('--no-bail', 'run all, even if the configuration file has bail')
    .option('--bisect', 'use the exit codes of `git bisect run`')
    .option('--probe-features', 'also try each macvlan and switch feature on the kernel, for run.json')
    .option('--dry-run', 'for real hosts: print the commands, and contact no host')
    .option('--details', 'with --dry-run: scripts in full, and the ssh commands')
    .addOption(
      new Option('--keep <when>', `keep the lab running after the run (default: ${defaults.keep})`).choices(
        keepChoices,
      ),
    )
    .option('--pause-on-failure', 'stop before a failure’s changes are reverted, until Enter')
    .option('--watch', 'keep one sandbox, and run again there after each change of a suite')
    .addOption(new Option('--attach <name>', 'the running lab of --watch').hideHelp())
    .addOption(
      new Option(
        '--reporter <names>',
        `what to show: ${reporterNames.join(', ')}, or several (default: ${defaults.reporter.join()})`,
      ).argParser(reporters),
    )
    .option(
      '--capture-to <file>',
      'write the frames of all labs live as pcapng: a file, a FIFO, or - (standard output)',
    )
    .option('--pcap-per-point', 'also keep one pcap per capture point')
    .addOption(
      new Option('--exit <scheme>', 'exit codes: kselftest has 4 for skipped, 5 for an error of the lab').choices(
        exitSchemes,
      ),
    )
    .option('--known <file>', 'for ktap and kselftest: a file with more known differences and their reasons')
    .option('--out <folder>', `parent of the run's folder (default: ${defaults.out})`)
    .option('--config <file>', `file with options (default: ${configFileName}, if it exists)`)
    .addHelpText('after', examples)
    .action(
      exitsWith(async (filters: string[], given: RunOptions) => {
        const options = { ...defaults, ...readConfig(given.config), ...given };
        if (options.out === '') {
          throw new MacvlabError('USAGE', 'the folder for reports has an empty name', {
            next: 'name a folder with --out',
          });
        }

        if (options.bisect) refuseForBisect(filters, options);
        const framesOnOutput = options.captureTo === '-';
        refuseOutputsTogether(options.reporter, framesOnOutput);
        if (options.pauseOnFailure) refuseWithoutTerminal();
        if (options.watch) return watchWith(options);

        // Modules that help and a wrong command line do not need are loaded only here.
        const [{ Reporters }, { runSuites }, { exitCodeOf }, { bisectExitOf }, { pauses }, known] = await Promise.all([
          import('./reporters.js'),
          import('../../run/run-suites.js'),
          import('../../report/run/outcome.js'),
          import('../../report/bisection/exit.js'),
          import('./pause.js'),
          knownDifferences(options.known),
        ]);
        const setUp = await setUpAtWork(checkout);
        const shown = new Reporters(options.reporter, known, { framesOnOutput, isShared: setUp !== undefined });
        const note = (line: string) => shown.listener.remark(line);
        const drivers = options.attach
          ? [attachedDriver(findDetached(options.attach))]
          : await loadDrivers(options.lab, {
              ...chosenOptions(options),
              mayBeDetached:
                options.keep !== 'never' || (options.pauseOnFailure === true && options.lab !== 'inventory'),
              remark: note,
            });
        if (setUp && drivers.length === 1) {
          notice('a set-up is at work in this checkout; waiting for it to end');
          await setUp.end;
        }
        // A commit without a kernel in its tree is not an error of the command line.
        if (!options.bisect || !(await isOwn(options.kernel))) await refuseWrongKernel(drivers);
        const [cheapest] = drivers;
        // Frames of several labs in one window are hard to read.
        const processors = options.captureTo === undefined ? availableParallelism() : 1;
        const jobs = options.jobs ?? Math.max(1, Math.floor(processors / (cheapest?.processors ?? 1)));
        const plan = {
          filters,
          ...(options.mode && { mode: options.mode }),
          ...{ lab: options.lab, jobs, bail: options.bail, keep: options.keep },
          arguments: process.argv.slice(2),
        };
        if (options.dryRun) {
          const { printDryRun } = await import('./dry-run.js');
          const signal = untilInterrupted('the dry run ends');
          await printDryRun(drivers, { ...plan, signal }, options.details === true);
          return exitCode.ok;
        }
        if (cheapest?.preflight) notice(...(await statementFor(cheapest.preflight, plan)));
        const signal = untilInterrupted('the run ends, and writes its reports', (line) => shown.message(line));
        await using live = options.captureTo === undefined ? undefined : await liveCapture(options.captureTo, signal);
        const results = await runSuites(
          {
            ...plan,
            ...(options.pcapPerPoint && { pcapPerPoint: true }),
            ...(live && { captureTo: live.capture }),
            ...(setUp && drivers.length > 1 && { setUp: setUp.end }),
            ...(options.probeFeatures && { probeFeatures: true }),
            ...(options.pauseOnFailure && { pauseOnFailure: pauses(note) }),
            out: resolve(options.out),
            signal,
            listener: shown.listener,
          },
          drivers,
        );
        const { kept, ...records } = results;
        shown.end(records);
        let code = exitCodeOf(records);
        if (options.exit === 'kselftest') {
          const [{ exportedTests }, { kselftestExitOf }] = await Promise.all([
            import('../../report/export/exported-tests.js'),
            import('../../report/export/ktap.js'),
          ]);
          code = kselftestExitOf(records, exportedTests(records, known));
        }
        if (options.bisect) {
          const { exit, words } = bisectExitOf(records);
          code = exit;
          notice(`bisect: ${words} (exit code ${exit})`);
        }
        for (const [index, left] of kept.entries()) {
          const name = kept.length > 1 ? `${records.run.id}-${index + 1}` : records.run.id;
          await writeDetached({ ...left, name });
          notice(`a lab is left running: macvlab lab shell node1 --name ${name}`);
          notice(`                       macvlab lab down --name ${name}`);
        }
        return code;
      }),
    );
}

/** Runs again and again, until an interrupt. @throws MacvlabError USAGE for options that do not fit */
async function watchWith({
  lab,
  keep,
  bisect,
  dryRun,
}: Pick<RunOptions, 'lab' | 'keep' | 'bisect' | 'dryRun'>): Promise<number> {
  const others = { '--keep': keep !== 'never', '--bisect': bisect, '--dry-run': dryRun };
  const [unfit] = Object.entries(others).flatMap(([flag, given]) => (given ? [flag] : []));
  if (unfit !== undefined) {
    throw new MacvlabError('USAGE', `--watch and ${unfit} exclude each other`, { next: 'leave one of them out' });
  }
  if (lab !== 'auto' && lab !== 'sandbox') {
    throw new MacvlabError('USAGE', `--watch keeps a sandbox, and --lab ${lab} was given`, {
      next: 'leave --lab out; what a sandbox cannot run is skipped',
    });
  }
  const { watchSuites } = await import('./watch.js');
  const driver = await loadDriver('sandbox', { mayBeDetached: true });
  const run = process.argv.slice(2).filter((word) => word !== '--watch');
  return watchSuites({ root: checkout, run, driver, signal: untilInterrupted('the watch ends'), note: notice });
}

/** Opens the output for the frames of a run. */
async function liveCapture(path: string, signal: AbortSignal) {
  const [{ CaptureOutput }, { LiveCapture }] = await Promise.all([
    import('../capture-output.js'),
    import('../../run/evidence/live-capture.js'),
  ]);
  const output = await CaptureOutput.open(path, '--capture-to', signal);
  const capture = new LiveCapture((bytes) => output.write(bytes));
  return {
    capture,
    async [Symbol.asyncDispose]() {
      capture.end();
      await output.close();
    },
  };
}

/** The notice before a run on real hosts, for those parts that the chosen experiments use. */
async function statementFor({ statement }: Preflight, plan: Selection): Promise<string[]> {
  const { loadCatalogue, select } = await import('../../run/suite/catalogue.js');
  return statement(select(await loadCatalogue(), plan).map(({ id }) => id));
}

/** The reporters that one use of `--reporter` names, after the earlier ones: a filter may follow it. */
function reporters(value: string, before: readonly ReporterName[] = []): ReporterName[] {
  const names = value.split(',').map((word) => reporterNames.find((name) => name === word.trim()));
  const known = names.filter((name) => name !== undefined);
  if (known.length < names.length) throw new InvalidArgumentError(`Allowed choices are ${reporterNames.join(', ')}.`);
  return [...before, ...known];
}

/** The known differences, with those of the user's file. @throws MacvlabError USAGE */
async function knownDifferences(file: string | undefined) {
  const { readKnownDifferences, withOwnDifferences } = await import('../../matrix/compare/known-differences-file.js');
  return withOwnDifferences(file === undefined ? [] : readKnownDifferences(file));
}

/** @throws MacvlabError USAGE when more than one output needs the whole of standard output */
function refuseOutputsTogether(names: readonly ReporterName[], framesOnOutput: boolean): void {
  const needing = [
    ...names.filter((name) => name === 'json' || name === 'ktap'),
    ...(framesOnOutput ? ['frames'] : []),
  ];
  if (needing.length < 2) return;
  throw new MacvlabError('USAGE', `${needing.join(' and ')} both need the whole of standard output`, {
    next: 'choose one of them; write the frames to a file or a FIFO, and get results from `macvlab export` or the records afterwards',
  });
}

/** @throws MacvlabError USAGE if a pause could not be ended, because standard input is not a terminal */
function refuseWithoutTerminal(): void {
  if (process.stdin.isTTY) return;
  throw new MacvlabError('USAGE', '--pause-on-failure waits for the Enter key, and standard input is not a terminal', {
    next: 'run it in a terminal; or use --keep on-failure, which leaves the lab of the first failure running',
  });
}

/** @throws MacvlabError USAGE for options that make no sense at every commit of a bisection */
function refuseForBisect(filters: readonly string[], { keep, exit }: { keep: Keep; exit?: string }): void {
  if (exit === 'kselftest') {
    throw new MacvlabError('USAGE', '--bisect and --exit kselftest both choose the exit codes', {
      next: 'leave one of them out; `git bisect run` needs those of --bisect',
    });
  }
  if (filters.length === 0) {
    throw new MacvlabError('USAGE', '--bisect was given, and no experiment', {
      next: 'name the experiment that distinguishes good from bad: --bisect A1.3',
    });
  }
  if (keep !== 'never') {
    throw new MacvlabError('USAGE', '--bisect was given, and a lab would be left running at each commit', {
      next: 'add --keep never, and look at a commit’s lab by hand afterwards',
    });
  }
}

async function isOwn(kernel: string | undefined): Promise<boolean> {
  return kernel !== undefined && (await import('../../kernel/resolve.js')).isPath(kernel);
}

/**
 * Prepares the lab if there is no choice of labs, so that a nonexistent kernel is reported before anything is created.
 * Other errors of a lab are results of the run.
 * @throws MacvlabError for wrong usage
 */
async function refuseWrongKernel([only, ...others]: readonly LabDriver[]): Promise<void> {
  if (others.length > 0) return;
  await only?.prepare?.().catch((error: unknown) => {
    if (error instanceof MacvlabError && error.exit === exitCode.usage) throw error;
  });
}
