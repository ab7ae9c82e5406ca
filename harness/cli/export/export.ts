/** `macvlab export`: writes a run in the formats of other systems. */
import { InvalidArgumentError, type Command } from 'commander';
import type { ExportOptions, KcidbWords, NipaWords } from './export-action.js';

/** The run that is exported by default. */
const latest = 'reports/latest';

const examples = `
docs/interop.md has a command line for each system.

Examples:
  macvlab export ktap                  the newest run as KTAP
  macvlab export nipa --executor macvlab --branch net-next-2026-11-21--12-00 --url-base https://ci.example.org/r1
  macvlab export kcidb reports/latest --origin mylab --tree ~/linux | kci-dev submit -
  macvlab export tmt --out "$TMT_TEST_DATA/results.yaml" "$TMT_TEST_DATA/run/latest"
  macvlab export lava`;

/** Adds the command and its subcommands. */
export function addExport(program: Command): void {
  const command = program
    .command('export')
    .description('write a run as KTAP, or for NIPA, KernelCI, tmt or LAVA')
    .helpCommand(false)
    .addHelpText('after', examples);
  addFormat(command, 'ktap', 'the test output of the kernel’s selftests').action(
    async (run: string, options: ExportOptions) => (await action()).exportKtap(run, options),
  );
  addFormat(command, 'nipa', 'a result file of an external executor of netdev’s CI')
    .requiredOption('--executor <name>', 'name of the executor', word)
    .requiredOption('--branch <name>', 'the tested branch, as NIPA’s branches.json names it', word)
    .requiredOption('--url-base <url>', 'where the run’s folder is published', url)
    .action(async (run: string, options: NipaWords) => (await action()).exportNipa(run, options));
  addFormat(command, 'kcidb', 'a document of KernelCI’s database, schema 5.3')
    .requiredOption('--origin <name>', 'the name that KernelCI has given to you: a-z, 0-9 and _', origin)
    .option('--url-base <url>', 'where the run’s folder is published; without it, no files are named', url)
    .option('--tree <folder>', 'git tree of the tested kernel, for its commit')
    .action(async (run: string, options: KcidbWords) => (await action()).exportKcidb(run, options));
  addFormat(command, 'tmt', 'results.yaml of a test with `result: custom`').action(
    async (run: string, options: ExportOptions) => (await action()).exportTmt(run, options),
  );
  addFormat(command, 'lava', 'the signals that LAVA reads on the console').action(
    async (run: string, options: ExportOptions) => (await action()).exportLava(run, options),
  );
}

function addFormat(command: Command, name: string, description: string): Command {
  return command
    .command(name)
    .description(description)
    .argument('[run]', 'folder of a run that has ended', latest)
    .option('--known <file>', 'a file with more known differences and their reasons')
    .option('--out <file>', 'the file to write (default: standard output)');
}

/** Loaded only when it is called: help needs no formats. */
function action() {
  return import('./export-action.js');
}

function word(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return value;
}

function origin(value: string): string {
  if (!/^[a-z0-9_]+$/.test(value)) throw new InvalidArgumentError('Allowed are a-z, 0-9 and _.');
  return value;
}

function url(value: string): string {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new InvalidArgumentError('It must be a URL such as https://ci.example.org/run-1.');
  }
  return value;
}
