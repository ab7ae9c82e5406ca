/** The complete run of the articles' experiments in one guest, compared with their run in the sandbox. Takes minutes. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';
import type { TestRecord } from '../harness/run/record.js';
import { type Figure, ratio } from './figure.js';
import { millisecondsOf } from './measure.js';
import { duration, print } from './print.js';

const articles = ['A0', 'A1', 'A2', 'A3', 'A4'];
const commandLine = fileURLToPath(new URL('../harness/cli/main.js', import.meta.url));

interface Run {
  milliseconds: number;
  /** Milliseconds of each experiment that passed, by its id and title. */
  passed: ReadonlyMap<string, number>;
  planned: number;
}

/** The guest's time divided by the sandbox's, for the experiments that both have run. */
export async function benchGuestArticles(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'macvlab-bench-'));
  try {
    const before = await runIn('sandbox', folder);
    const guest = await runIn('vm', folder);
    const sandboxes = [before, await runIn('sandbox', folder)];
    const common = [...guest.passed.keys()].filter((name) => sandboxes.every(({ passed }) => passed.has(name)));
    const sum = ({ passed }: Run) => common.reduce((total, name) => total + (passed.get(name) ?? NaN), 0);
    const sandbox = sandboxes.map(sum);
    const times = sandbox.map(duration).join(' and ');
    print(
      `guest-articles: ${common.length} experiments that both pass: guest ${duration(sum(guest))}, sandbox ${times}`,
    );
    const whole = ({ milliseconds, passed, planned }: Run) =>
      `${duration(milliseconds)}, ${passed.size} of ${planned} passed`;
    print(`  the whole run, one lab at a time: guest ${whole(guest)}; sandbox ${sandboxes.map(whole).join('; ')}`);
    const name = 'the articles in one guest: times the sandbox';
    const guests = sandbox.map(() => sum(guest));
    return [ratio(name, guests, sandbox, { better: 'smaller' })];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As a complete process, with all evidence; the counts show skipped and failed experiments. */
async function runIn(lab: string, folder: string): Promise<Run> {
  const out = await mkdtemp(path.join(folder, `${lab}-`));
  const words = ['run', ...articles, '--lab', lab, '--jobs', '1', '--out', out];
  const guests = lab === 'vm' ? ['--guests', '1'] : [];
  const milliseconds = await millisecondsOf(
    () => $({ quiet: true, nothrow: true })`${process.execPath} ${commandLine} ${words} ${guests}`,
  );
  const records = await recordsBelow(out);
  const passed = records.filter(({ verdict }) => verdict === 'passed');
  return {
    milliseconds,
    passed: new Map(passed.map(({ id, title, durationMs }) => [`${id} ${title}`, durationMs])),
    planned: records.length,
  };
}

/** The records of the single run whose folder is in another. */
async function recordsBelow(out: string): Promise<TestRecord[]> {
  const [run = ''] = await readdir(out);
  const folder = path.join(out, run, 'records');
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')));
  return texts.map((text) => JSON.parse(text) as TestRecord);
}
