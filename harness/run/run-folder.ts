/** The folder that one run writes: `run.json`, one record per test, their evidence. Reports are made from it alone. */
import { randomInt } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../core/error.js';
import type { RunRecord, RunResults, TestRecord } from './record.js';

/** A folder for one test's evidence. */
export interface EvidenceFolder {
  absolute: string;
  /** As it begins `Evidence.file`: relative to the run's folder, "evidence/001-a1.3". */
  relative: string;
}

/** A run's folder while the run writes it. All writing is synchronous, so that it also works on the way out of a signal. */
export class RunFolder {
  /** Absolute path. */
  readonly path: string;

  readonly #writing = new Set<Promise<void>>();
  #failure: unknown;

  private constructor(path: string) {
    this.path = path;
  }

  /** Takes a file that is being written; `written` waits for it, so that no test has to. */
  later(writing: Promise<void>): void {
    const kept = writing
      .catch((error: unknown) => void (this.#failure ??= error))
      .finally(() => this.#writing.delete(kept));
    this.#writing.add(kept);
  }

  /**
   * Waits until all files are written.
   * @throws MacvlabError OUT_NOT_WRITABLE when one of them could not be
   */
  async written(): Promise<void> {
    await Promise.all(this.#writing);
    writing(this.path, () => {
      if (this.#failure !== undefined) throw this.#failure as Error;
    });
  }

  /**
   * Makes `<out>/<run.id>/` with its first `run.json`, and points `<out>/latest` at it. On failure the run leaves no folder.
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  static create(out: string, run: RunRecord): RunFolder {
    const path = join(resolve(out), run.id);
    writing(out, () => {
      makeFolders(resolve(out));
      mkdirSync(path);
    });
    try {
      writing(out, () => {
        mkdirSync(join(path, 'records'));
        mkdirSync(join(path, 'evidence'));
        writeJson(join(path, 'run.json'), run);
      });
    } catch (error) {
      rmSync(path, { recursive: true, force: true });
      throw error;
    }
    pointLatestAt(resolve(out), run.id);
    return new RunFolder(path);
  }

  /**
   * Writes one test's record, and returns the file's absolute path.
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  writeRecord(record: TestRecord): string {
    return this.write(join('records', `${testName(record)}-${slug(record.title)}.json`), json(record));
  }

  /**
   * Makes the folder that a test's evidence goes to; asking again for the same test gives the same folder.
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  evidenceFolder(test: Pick<TestRecord, 'number' | 'id'>): EvidenceFolder {
    const relative = `evidence/${testName(test)}`;
    const absolute = join(this.path, relative);
    writing(this.path, () => makeFolders(absolute));
    return { absolute, relative };
  }

  /**
   * Writes a report of the run, "junit.xml", and returns its absolute path.
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  write(file: string, text: string): string {
    const path = join(this.path, file);
    writing(this.path, () => writeWhole(path, text));
    return path;
  }

  /**
   * Writes what a machine of a lab has shown on its console.
   * @param lab position of the lab in the run, from 1
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  writeConsole(lab: number, machine: string, text: string): void {
    writing(this.path, () => makeFolders(join(this.path, 'consoles')));
    this.write(join('consoles', `${lab}-${slug(machine)}.txt`), text);
  }

  /**
   * Writes `run.json` again, as the run ended.
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  finish(run: RunRecord): void {
    this.write('run.json', json(run));
  }
}

/** A run's id: date and time in UTC, and four random digits for runs of the same second: "20261121-081500-4f2a". */
export function newRunId(date = new Date(), random = () => randomInt(0x10000) / 0x10000): string {
  const [day = '', time = ''] = date.toISOString().replace(/[-:]/g, '').split(/[T.]/);
  const digits = Math.floor(random() * 0x10000)
    .toString(16)
    .padStart(4, '0');
  return `${day}-${time}-${digits}`;
}

/**
 * Any title as a part of a file's name: lower-case ASCII letters, digits, dots and dashes, never empty, never with a dot
 * or dash at an end, at most 48 characters.
 */
export function slug(title: string): string {
  const ascii = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const safe = ascii
    .replace(/\.{2,}/g, '-')
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[-.]+/, '');
  return safe.slice(0, 48).replace(/[-.]+$/, '') || 'test';
}

/**
 * Reads a run back, records in the order of their numbers.
 * @throws MacvlabError USAGE naming the file that is missing, cut short or not a record
 */
// eslint-disable-next-line @typescript-eslint/require-await -- a promise, so that a later reader may take its time
export async function readRun(folder: string): Promise<RunResults> {
  const path = resolve(folder);
  const run = readAs(runRecord, join(path, 'run.json'));
  const files = readingOf(join(path, 'records'), (directory) => readdirSync(directory));
  // A name with a leading dot is a file whose writer died before it was whole (see writeWhole): it was never a record.
  const whole = files.filter((file) => !file.startsWith('.'));
  const records = whole.map((file) => readAs(testRecord, join(path, 'records', file)));
  return { folder: path, run, records: records.sort((a, b) => a.number - b.number) };
}

const text = z.string();
const count = z.number().int().nonnegative();
const values = z.record(text, z.union([text, z.number(), z.boolean()]));
const failure = z.looseObject({
  code: text,
  message: text,
  details: text.exactOptional(),
  next: text.exactOptional(),
});

const featureRecord = z.looseObject({
  name: text,
  group: text,
  state: z.enum(['supported', 'refused', 'ignored', 'unknown']),
  words: text,
});

/** RunRecord of record.ts, as JSON. Loose: what a newer macvlab adds is kept. */
const runRecord: z.ZodType<RunRecord> = z.looseObject({
  schema: z.literal(1),
  id: text,
  macvlab: text,
  arguments: z.array(text),
  lab: text,
  kernel: text,
  machine: text,
  tools: z.record(text, text),
  startedAt: text,
  endedAt: text.exactOptional(),
  durationMs: z.number().exactOptional(),
  planned: count,
  interrupted: z.boolean(),
  exit: z.number().int().exactOptional(),
  features: z.array(featureRecord).exactOptional(),
  failure: failure.exactOptional(),
});

/** TestRecord of record.ts, as JSON. */
const testRecord: z.ZodType<TestRecord> = z.looseObject({
  schema: z.literal(1),
  number: z.number().int().positive(),
  id: text,
  title: text,
  suite: text,
  file: text,
  modes: z.array(text),
  verdict: z.enum(['passed', 'failed', 'skipped', 'error']),
  reason: text.exactOptional(),
  failure: failure.exactOptional(),
  observed: values,
  measured: values.exactOptional(),
  lab: text,
  kernel: text,
  startedAt: text,
  durationMs: z.number(),
  assertions: count,
  frames: count,
  evidence: z.array(
    z.looseObject({
      kind: z.enum(['pcap', 'commands', 'links', 'frames', 'repro', 'counters', 'console']),
      file: text,
      title: text,
    }),
  ),
});

function readAs<T>(schema: z.ZodType<T>, file: string): T {
  return readingOf(file, () => {
    const read = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (read.success) return read.data;
    throw new Error(z.prettifyError(read.error));
  });
}

function readingOf<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (error) {
    throw new MacvlabError('USAGE', `${path} cannot be read as part of a run`, {
      evidence: messageOf(error),
      next: 'name the folder of a run, such as reports/latest; if this file alone is damaged, move it away and try again',
      cause: error,
    });
  }
}

function testName({ number, id }: Pick<TestRecord, 'number' | 'id'>): string {
  return `${String(number).padStart(3, '0')}-${slug(id)}`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function writeJson(path: string, value: unknown): void {
  writeWhole(path, json(value));
}

/**
 * Makes a folder and those above it. Not `mkdirSync`'s own `recursive`: in Node 20 that never returns where a parent
 * exists and the kernel still says ENOENT, as it does below /proc.
 */
function makeFolders(path: string): void {
  const isFolder = (): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder()) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Two runs that begin at once may both make `out`.
    if (!isFolder()) throw error;
  }
}

/** Writes a file so that whoever reads it sees all of it or, when this process dies, none. */
function writeWhole(path: string, content: string): void {
  const unfinished = join(path, '..', `.${basename(path)}.${process.pid}`);
  try {
    writeFileSync(unfinished, content);
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** `latest` is a convenience: where there can be no symbolic link, or a file of someone's has that name, there is none. */
function pointLatestAt(out: string, id: string): void {
  const latest = join(out, 'latest');
  const unfinished = join(out, `.latest.${process.pid}`);
  try {
    if (lstatSync(latest, { throwIfNoEntry: false })?.isSymbolicLink() === false) return;
    symlinkSync(id, unfinished);
    renameSync(unfinished, latest);
  } catch {
    rmSync(unfinished, { force: true });
  }
}

const remedies: Record<string, string> = {
  EEXIST: 'a file of that name is in the way: move it, or choose another folder with --out',
  ENOTDIR: 'a file is in the way where a folder is needed: move it, or choose another folder with --out',
  ENOSPC: 'the disk is full: free some space, or choose a folder on another disk with --out',
  EDQUOT: 'your disk quota is used up: free some space, or choose a folder on another disk with --out',
  EROFS: 'that file system is read-only: choose a folder on another one with --out',
};

function writing<T>(folder: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new MacvlabError('OUT_NOT_WRITABLE', `reports cannot be written to ${folder}`, {
      evidence: messageOf(error),
      next: remedies[code] ?? 'choose a folder that you may write with --out',
      cause: error,
    });
  }
}
