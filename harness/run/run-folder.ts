/** The folder of one run: `run.json`, one record per test, and their evidence. Reports are generated from it alone. */
import { randomInt } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { MacvlabError } from '../core/error.js';
import { asJson, makeFolders, pointAt, writeWhole, writing } from '../core/report-files.js';
import type { RunRecord, TestRecord } from './record.js';

/** A folder for one test's evidence. */
export interface EvidenceFolder {
  absolute: string;
  /** The beginning of `Evidence.file`: relative to the run's folder, "evidence/001-a1.3". */
  relative: string;
}

/**
 * A run's folder while the run writes it. Records and reports are written synchronously, so that writing also works
 * while a signal ends the process.
 */
export class RunFolder {
  /** Absolute path. */
  readonly path: string;
  /** The run's id, which is also the folder's name. */
  get id(): string {
    return basename(this.path);
  }

  readonly #writing = new Set<Promise<void>>();
  #failure: unknown;

  private constructor(path: string) {
    this.path = path;
  }

  /** Adds a file that is being written. `written` waits for it, so that no test has to. */
  later(writing: Promise<void>): void {
    const kept = writing
      .catch((error: unknown) => void (this.#failure ??= error))
      .finally(() => this.#writing.delete(kept));
    this.#writing.add(kept);
  }

  /**
   * Waits until all files are written.
   * @throws MacvlabError OUT_NOT_WRITABLE if one of them could not be written
   */
  async written(): Promise<void> {
    await Promise.all(this.#writing);
    if (this.#failure instanceof MacvlabError) throw this.#failure;
    writing(this.path, () => {
      if (this.#failure !== undefined) throw this.#failure as Error;
    });
  }

  /**
   * Creates `<out>/<run.id>/` with its first `run.json`, and points `<out>/latest` at it. On failure the run leaves no
   * folder.
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
        writeWhole(join(path, 'run.json'), asJson(run));
      });
    } catch (error) {
      rmSync(path, { recursive: true, force: true });
      throw error;
    }
    pointAt(resolve(out), run.id, 'latest');
    return new RunFolder(path);
  }

  /**
   * Writes one test's record, and returns the file's absolute path.
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  writeRecord(record: TestRecord): string {
    return this.write(join('records', `${position(record)}-${slug(record.key)}.json`), asJson(record));
  }

  /**
   * Creates the folder for a test's evidence. Another call for the same test returns the same folder.
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
    try {
      writing(this.path, () => writeWhole(path, text));
    } catch (error) {
      // Even if there is space again at the end, the run lacks this file.
      this.#failure ??= error;
      throw error;
    }
    return path;
  }

  /**
   * Writes the console output of a machine of a lab.
   * @param lab number of the lab in the run, from 1
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  writeConsole(lab: number, machine: string, text: string): void {
    writing(this.path, () => makeFolders(join(this.path, 'consoles')));
    this.write(join('consoles', `${lab}-${slug(machine)}.txt`), text);
  }

  /**
   * Writes a snapshot of a host.
   * @param lab number of the lab in the run, from 1
   * @param name "node1-before.txt"
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  writeSnapshot(lab: number, name: string, text: string): void {
    writing(this.path, () => makeFolders(join(this.path, 'hosts')));
    this.write(join('hosts', `${lab}-${slug(name)}`), text);
  }

  /**
   * Writes `run.json` again at the end of the run.
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  finish(run: RunRecord): void {
    this.write('run.json', asJson(run));
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
 * Converts any title to a part of a file name: lower-case ASCII letters, digits, dots and dashes, at most 48
 * characters. It is never empty, and no dot or dash is at an end.
 */
export function slug(title: string): string {
  const ascii = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const safe = ascii
    .replace(/\.{2,}/g, '-')
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[-.]+/, '');
  return safe.slice(0, 48).replace(/[-.]+$/, '') || 'test';
}

function testName(test: Pick<TestRecord, 'number' | 'id'>): string {
  return `${position(test)}-${slug(test.id)}`;
}

function position({ number }: Pick<TestRecord, 'number'>): string {
  return String(number).padStart(3, '0');
}
