/** `npm run kill-tests [-- EXPERIMENT…]`: ends runs at each of their steps, and checks whether they leave something. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { untilInterrupted } from '../../cli/interruption.js';
import { exitCode } from '../../core/error.js';
import { asJson, makeFolders, writeWhole } from '../../core/report-files.js';
import { parseTool, runTool, usage, wholeNumber } from '../tool.js';
import { runKillTests } from './kill-tests.js';
import { allKills, sample } from './plan.js';
import { printKilledRun, printSummary } from './print.js';
import { type KillSignal, killSignals } from './kill-at-step.js';
import type { KilledRun } from './scratch-machine.js';

const options = {
  lab: { type: 'string', default: 'sandbox' },
  how: { type: 'string', multiple: true },
  steps: { type: 'string' },
  later: { type: 'string', default: '0' },
  sample: { type: 'string' },
  seed: { type: 'string', default: '1' },
  jobs: { type: 'string' },
  out: { type: 'string', default: 'reports/kill-tests' },
} as const;

/** One guest is enough, and starts fastest. */
const labs: Record<string, readonly string[]> = {
  sandbox: ['--lab', 'sandbox'],
  vm: ['--lab', 'vm', '--guests', '1'],
  container: ['--lab', 'container'],
};

/** The shortest experiment that makes links, captures and pings. */
const shortest = ['A1.1'];

process.exitCode = await runTool(main);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseTool(args, options);
  const lab = labs[values.lab];
  if (!lab) throw usage(`there is no lab "${values.lab}" to end`, `choose one of ${Object.keys(labs).join(', ')}`);
  const chosen = values.how === undefined ? killSignals : killSignals.filter((how) => values.how?.includes(how));
  const unknown = values.how?.find((how) => !killSignals.includes(how as KillSignal));
  if (unknown !== undefined)
    throw usage(`a run cannot be ended by "${unknown}"`, `choose of ${killSignals.join(', ')}`);
  const containers = values.lab === 'container';
  const stretched = values.steps === undefined ? undefined : stretch(values.steps);
  const [later, seed] = [wholeNumber('later', values.later, 0), wholeNumber('seed', values.seed, 0)];
  const size = values.sample === undefined ? undefined : wholeNumber('sample', values.sample);
  // Each job starts an engine, which is a heavy load for a machine.
  const jobs = values.jobs === undefined ? (containers ? 1 : availableParallelism()) : wholeNumber('jobs', values.jobs);
  const out = resolve(values.out);
  // Remove only our own files, because the user may keep other files in this folder.
  for (const name of ['machines', 'kill-tests.json', 'counts.json'])
    rmSync(join(out, name), { recursive: true, force: true });
  makeFolders(out);
  const endings: KilledRun[] = [];
  const filters = positionals.length > 0 ? positionals : shortest;
  // A lab that may be detached does not end with its creator while its guest boots.
  const gc = containers || filters.includes('--keep');
  const write = () => writeWhole(join(out, 'kill-tests.json'), asJson({ lab: values.lab, filters, endings }));
  const signal = untilInterrupted('running kill tests end, and the results so far are printed');
  const steps = await runKillTests({
    ...{ run: [...lab, ...filters], containers, gc, signal, folder: join(out, 'machines'), jobs },
    choose: (count) => {
      const { from = 1, to = count } = stretched ?? {};
      const all = allKills({ from, to: Math.min(to, count) }, chosen).map((kill) => ({ ...kill, later }));
      return size === undefined ? all : sample(all, size, seed);
    },
    found(ending) {
      endings.push(ending);
      printKilledRun(ending);
      write();
    },
  });
  printSummary(steps.length, endings);
  const failed = endings.filter(({ troubles }) => troubles.length > 0).length;
  writeWhole(join(out, 'counts.json'), asJson({ passed: endings.length - failed, failed, skipped: 0 }));
  if (signal.aborted) return exitCode.interrupted;
  return endings.length === 0 || failed > 0 ? exitCode.failed : exitCode.ok;
}

/** The first and last step of a range such as "9-40". */
function stretch(given: string): { from: number; to: number } {
  const [from = 0, to = 0] = (/^(\d+)-(\d+)$/.exec(given) ?? []).slice(1).map(Number);
  if (from < 1 || to < from) throw usage(`"${given}" names no steps`, 'name them as in --steps 9-40');
  return { from, to };
}
