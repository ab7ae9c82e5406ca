/** `npm run test:fresh`: makes fresh machines, and runs the README's commands there. */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { untilInterrupted } from '../cli/interruption.js';
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { asJson, makeFolders, writeWhole } from '../core/report-files.js';
import { installTools } from '../setup/install-tools.mjs';
import { findProgram, thisMachine } from '../setup/machine.mjs';
import { Progress } from '../setup/progress.mjs';
import { attempt } from '../setup/report.mjs';
import { FreshMachine } from './fresh-machine.js';
import { type StageContext, type StageName, stageNames, stages, type Step } from './stages.js';

const options = {
  short: { type: 'boolean', default: false },
  stage: { type: 'string', multiple: true },
  since: { type: 'string', default: 'HEAD~1' },
  out: { type: 'string', default: 'reports/fresh' },
} as const;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${formatError(error)}\n`);
  return error instanceof MacvlabError ? error.exit : exitCode.lab;
});

async function main(args: string[]): Promise<number> {
  const { chosen, since, out } = parsed(args);
  if (process.geteuid?.() !== 0) {
    throw new MacvlabError('NOT_ROOT', 'a fresh machine is a root folder with mounts', {
      next: 'run the same command as root',
    });
  }
  await installMmdebstrap();
  makeFolders(out);
  const log = join(out, 'log.txt');
  rmSync(log, { force: true });
  const signal = untilInterrupted('fresh machines are removed');
  const machines: FreshMachine[] = [];
  const steps: Step[] = [];
  const context: StageContext = {
    root: fileURLToPath(new URL('../../..', import.meta.url)),
    since,
    setUp: undefined,
    async fresh() {
      const begun = Date.now();
      const machine = await FreshMachine.make(log, signal);
      machines.push(machine);
      process.stdout.write(`a fresh machine (${seconds(Date.now() - begun)})\n`);
      return machine;
    },
    report(step) {
      steps.push(step);
      process.stdout.write(line(step));
    },
  };
  try {
    for (const name of chosen) await stages[name](context);
  } finally {
    await Promise.all(machines.map((machine) => machine.remove()));
  }
  writeWhole(join(out, 'steps.json'), asJson(steps));
  const red = steps.filter(({ trouble }) => trouble !== undefined).length;
  process.stdout.write(`${steps.length - red} of ${steps.length} steps are green; all output: ${log}\n`);
  return red > 0 ? exitCode.failed : exitCode.ok;
}

/** Installs what minimal roots are built with, unless nothing may be installed. */
async function installMmdebstrap(): Promise<void> {
  const lacking = () => (findProgram('mmdebstrap') ? [] : [{ name: 'mmdebstrap', purpose: 'builds a minimal Debian' }]);
  if (process.env.MACVLAB_NO_INSTALL === '1') return;
  const [trouble] = await attempt(() =>
    installTools(thisMachine(), { lacking, task: new Progress().task('programs') }),
  );
  if (trouble) throw new MacvlabError('TOOL_MISSING', trouble.message, { next: trouble.next });
}

function parsed(args: string[]): { chosen: StageName[]; since: string; out: string } {
  const usage = (message: string) =>
    new MacvlabError('USAGE', message, {
      next: `options: --short, --stage ${stageNames.join('|')}, --since COMMIT, --out FOLDER`,
    });
  try {
    const { values } = parseArgs({ args, options });
    const named = values.stage ?? (values.short ? ['short'] : ['start', 'test', 'user', 'no-install']);
    const chosen = stageNames.filter((name) => named.includes(name));
    if (chosen.length < new Set(named).size) throw usage(`a stage is unknown: ${named.join(', ')}`);
    return { chosen, since: values.since, out: resolve(values.out) };
  } catch (error) {
    throw error instanceof MacvlabError ? error : usage(error instanceof Error ? error.message : String(error));
  }
}

function line({ stage, what, milliseconds, note, trouble }: Step): string {
  const words = `${trouble === undefined ? 'ok ' : 'RED'} ${stage}: ${what} (${seconds(milliseconds)})`;
  return `${words}${note === undefined ? '' : ` ${note}`}${trouble === undefined ? '\n' : `: ${trouble}`}`;
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}
