/** `npm run soak [-- EXPERIMENT…]`: performs the suites in sandboxes again and again, and looks whether a verdict changes. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { untilInterrupted } from '../cli/interruption.js';
import { exitCode, formatError, MacvlabError } from '../core/error.js';
import { asJson, makeFolders, writeWhole } from '../core/report-files.js';
import { countsOf, printRun, printSoak } from './print.js';
import { performSoak, type SoakReport } from './soak.js';

const options = {
  runs: { type: 'string', default: '300' },
  parallel: { type: 'string', default: '1' },
  jobs: { type: 'string' },
  load: { type: 'boolean', default: false },
  minutes: { type: 'string' },
  out: { type: 'string', default: 'reports/soak' },
} as const;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${formatError(error)}\n`);
  return error instanceof MacvlabError ? error.exit : exitCode.lab;
});

async function main(args: string[]): Promise<number> {
  const { values, positionals: filters } = parsed(args);
  const [runs, parallel] = [count('runs', values.runs), count('parallel', values.parallel)];
  const processors = availableParallelism();
  const jobs = values.jobs === undefined ? Math.max(1, Math.floor(processors / parallel)) : count('jobs', values.jobs);
  const out = resolve(values.out);
  // What is ours there alone: the folder may be anybody's.
  for (const name of ['runs', 'soak.json', 'counts.json']) rmSync(join(out, name), { recursive: true, force: true });
  makeFolders(join(out, 'runs'));
  const plan = { filters, runs, parallel, jobs, load: values.load ? processors : 0 };
  const write = (report: SoakReport) =>
    writeWhole(join(out, 'soak.json'), asJson({ ...plan, ...countsOf(report), ...report }));
  const signal = untilInterrupted('the soak ends, and tells what it has seen');
  const report = await performSoak({
    ...{ ...plan, out: join(out, 'runs'), signal },
    longest: values.minutes === undefined ? Infinity : count('minutes', values.minutes) * 60_000,
    performed(run, soFar) {
      printRun(run, soFar);
      write(soFar);
    },
  });
  write(report);
  printSoak(report);
  const { steady, changed } = countsOf(report);
  const failed = changed + Number(report.trouble !== undefined);
  writeWhole(join(out, 'counts.json'), asJson({ passed: steady, failed, skipped: 0 }));
  if (signal.aborted) return exitCode.interrupted;
  if (report.trouble !== undefined) return exitCode.lab;
  return changed > 0 || steady === 0 ? exitCode.failed : exitCode.ok;
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const words = Object.keys(options).map((name) => `--${name}`);
    throw usage(error instanceof Error ? error.message : String(error), `the options are ${words.join(' ')}`);
  }
}

function count(name: string, given: string): number {
  const number = Number(given);
  if (Number.isInteger(number) && number > 0) return number;
  throw usage(`--${name} ${given} is no number of ${name}`, 'give a whole number above 0');
}

function usage(message: string, next: string): MacvlabError {
  return new MacvlabError('USAGE', message, { next });
}
