/** `npm run soak [-- EXPERIMENT…]`: runs the suites in sandboxes repeatedly, and checks whether a verdict changes. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { untilInterrupted } from '../../cli/interruption.js';
import { exitCode } from '../../core/error.js';
import { asJson, makeFolders, writeWhole } from '../../core/report-files.js';
import { parseTool, runTool, wholeNumber } from '../tool.js';
import { countsOf, printRun, printSoak } from './print.js';
import { runSoak, type SoakReport } from './soak.js';

const options = {
  runs: { type: 'string', default: '300' },
  parallel: { type: 'string', default: '1' },
  jobs: { type: 'string' },
  load: { type: 'boolean', default: false },
  minutes: { type: 'string' },
  out: { type: 'string', default: 'reports/soak' },
} as const;

process.exitCode = await runTool(main);

async function main(args: string[]): Promise<number> {
  const { values, positionals: filters } = parseTool(args, options);
  const [runs, parallel] = [wholeNumber('runs', values.runs), wholeNumber('parallel', values.parallel)];
  const processors = availableParallelism();
  const jobs =
    values.jobs === undefined ? Math.max(1, Math.floor(processors / parallel)) : wholeNumber('jobs', values.jobs);
  const out = resolve(values.out);
  // Remove only our own files, because the user may keep other files in this folder.
  for (const name of ['runs', 'soak.json', 'counts.json']) rmSync(join(out, name), { recursive: true, force: true });
  makeFolders(join(out, 'runs'));
  const plan = { filters, runs, parallel, jobs, load: values.load ? processors : 0 };
  const write = (report: SoakReport) =>
    writeWhole(join(out, 'soak.json'), asJson({ ...plan, ...countsOf(report), ...report }));
  const signal = untilInterrupted('the soak ends, and prints the results so far');
  const report = await runSoak({
    ...{ ...plan, out: join(out, 'runs'), signal },
    longest: values.minutes === undefined ? Infinity : wholeNumber('minutes', values.minutes) * 60_000,
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
