/** `npm run test:fresh`: creates fresh machines, and runs the README's commands there. */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untilInterrupted } from '../../cli/interruption.js';
import { exitCode, MacvlabError } from '../../core/error.js';
import { asJson, makeFolders, writeWhole } from '../../core/report-files.js';
import { installTools } from '../../setup/install-tools.mjs';
import { findProgram, thisMachine } from '../../setup/machine.mjs';
import { Progress } from '../../setup/progress.mjs';
import { attempt } from '../../setup/report.mjs';
import { parseTool, runTool, usage } from '../tool.js';
import { FreshMachine } from './fresh-machine.js';
import { type StageContext, type StageName, stageNames, stages, type Step } from './stages.js';

const options = {
  short: { type: 'boolean', default: false },
  stage: { type: 'string', multiple: true },
  since: { type: 'string', default: 'HEAD~1' },
  out: { type: 'string', default: 'reports/fresh' },
} as const;

process.exitCode = await runTool(main);

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
    root: fileURLToPath(new URL('../../../..', import.meta.url)),
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

/** Installs mmdebstrap, which builds minimal roots, unless installing is disabled. */
async function installMmdebstrap(): Promise<void> {
  const lacking = () => (findProgram('mmdebstrap') ? [] : [{ name: 'mmdebstrap', purpose: 'builds a minimal Debian' }]);
  if (process.env.MACVLAB_NO_INSTALL === '1') return;
  const [trouble] = await attempt(() =>
    installTools(thisMachine(), { lacking, task: new Progress().task('programs') }),
  );
  if (trouble) throw new MacvlabError('TOOL_MISSING', trouble.message, { next: trouble.next });
}

function parsed(args: string[]): { chosen: StageName[]; since: string; out: string } {
  const { values, positionals } = parseTool(args, options);
  const named = values.stage ?? (values.short ? ['short'] : ['start', 'test', 'user', 'no-install']);
  const chosen = stageNames.filter((name) => named.includes(name));
  const unknown = [...named.filter((name) => !stageNames.includes(name as StageName)), ...positionals];
  if (unknown.length > 0)
    throw usage(`a stage is unknown: ${unknown.join(', ')}`, `stages are ${stageNames.join(', ')}`);
  return { chosen, since: values.since, out: resolve(values.out) };
}

function line({ stage, what, milliseconds, note, trouble }: Step): string {
  const words = `${trouble === undefined ? 'ok ' : 'RED'} ${stage}: ${what} (${seconds(milliseconds)})`;
  return `${words}${note === undefined ? '' : ` ${note}`}${trouble === undefined ? '\n' : `: ${trouble}`}`;
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}
