/** `npm run ends [-- EXPERIMENT…]`: ends runs at each of their steps, and looks whether something is left of them. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { untilInterrupted } from '../cli/interruption.js';
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { asJson, makeFolders, writeWhole } from '../core/report-files.js';
import { performEnds } from './ends.js';
import { allStrikes, sample } from './plan.js';
import { printEnding, printSummary } from './print.js';
import { type How, hows } from './strike.js';
import type { Ending } from './world.js';

const options = {
  lab: { type: 'string', default: 'sandbox' },
  how: { type: 'string', multiple: true },
  steps: { type: 'string' },
  later: { type: 'string', default: '0' },
  sample: { type: 'string' },
  seed: { type: 'string', default: '1' },
  jobs: { type: 'string' },
  out: { type: 'string', default: 'reports/ends' },
} as const;

/** One guest is enough to end, and comes soonest. */
const labs: Record<string, readonly string[]> = {
  sandbox: ['--lab', 'sandbox'],
  vm: ['--lab', 'vm', '--guests', '1'],
  container: ['--lab', 'container'],
};

/** The shortest that makes links, captures and pings. */
const shortest = ['A1.1'];

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${formatError(error)}\n`);
  return error instanceof MacvlabError ? error.exit : exitCode.lab;
});

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  const lab = labs[values.lab];
  if (!lab) throw usage(`there is no lab "${values.lab}" to end`, `choose one of ${Object.keys(labs).join(', ')}`);
  const chosen = values.how === undefined ? hows : hows.filter((how) => values.how?.includes(how));
  const unknown = values.how?.find((how) => !hows.includes(how as How));
  if (unknown !== undefined) throw usage(`a run cannot be ended by "${unknown}"`, `choose of ${hows.join(', ')}`);
  const containers = values.lab === 'container';
  const stretched = values.steps === undefined ? undefined : stretch(values.steps);
  const [later, seed] = [whole('later', values.later), whole('seed', values.seed)];
  const size = values.sample === undefined ? undefined : whole('sample', values.sample, 1);
  // An engine of one's own is much for a machine.
  const jobs = values.jobs === undefined ? (containers ? 1 : availableParallelism()) : whole('jobs', values.jobs, 1);
  const out = resolve(values.out);
  // What is ours there alone: the folder may be anybody's.
  for (const name of ['worlds', 'ends.json', 'counts.json']) rmSync(join(out, name), { recursive: true, force: true });
  makeFolders(out);
  const endings: Ending[] = [];
  const filters = positionals.length > 0 ? positionals : shortest;
  // A lab that may be kept does not end with who made it, as long as its guest boots.
  const gc = containers || filters.includes('--keep');
  const write = () => writeWhole(join(out, 'ends.json'), asJson({ lab: values.lab, filters, endings }));
  const signal = untilInterrupted('what is going on is ended, and what was seen is told');
  const steps = await performEnds({
    ...{ run: [...lab, ...filters], containers, gc, signal, folder: join(out, 'worlds'), jobs },
    choose: (count) => {
      const { from = 1, to = count } = stretched ?? {};
      const all = allStrikes({ from, to: Math.min(to, count) }, chosen).map((strike) => ({ ...strike, later }));
      return size === undefined ? all : sample(all, size, seed);
    },
    found(ending) {
      endings.push(ending);
      printEnding(ending);
      write();
    },
  });
  printSummary(steps.length, endings);
  const failed = endings.filter(({ troubles }) => troubles.length > 0).length;
  writeWhole(join(out, 'counts.json'), asJson({ passed: endings.length - failed, failed, skipped: 0 }));
  if (signal.aborted) return exitCode.interrupted;
  return endings.length === 0 || failed > 0 ? exitCode.failed : exitCode.ok;
}

/** The steps that are meant by "9-40". */
function stretch(given: string): { from: number; to: number } {
  const [from = 0, to = 0] = (/^(\d+)-(\d+)$/.exec(given) ?? []).slice(1).map(Number);
  if (from < 1 || to < from) throw usage(`"${given}" names no steps`, 'name them as in --steps 9-40');
  return { from, to };
}

function whole(name: string, given: string, least = 0): number {
  const number = Number(given);
  if (/^\d+$/.test(given) && Number.isSafeInteger(number) && number >= least) return number;
  throw usage(`--${name} ${given} cannot be`, `give a whole number of at least ${least}`);
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const words = Object.keys(options).map((name) => `--${name}`);
    throw usage(error instanceof Error ? error.message : String(error), `the options are ${words.join(' ')}`);
  }
}

function usage(message: string, next: string): MacvlabError {
  return new MacvlabError('USAGE', message, { next });
}
