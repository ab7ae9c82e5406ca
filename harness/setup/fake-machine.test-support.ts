/** Machines for the tests of the set-up: a temporary folder with programs of our own, which are real programs. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Machine } from './machine.mjs';
import { beQuiet } from './report.mjs';

beQuiet();

/** A machine whose only programs are those that a test puts there. */
export class FakeMachine implements Disposable {
  readonly root: string;
  readonly machine: Machine;
  readonly #bin: string;

  constructor({ root = true, architecture = 'x64' } = {}) {
    this.root = mkdtempSync(path.join(tmpdir(), 'macvlab-setup-'));
    this.#bin = path.join(this.root, 'bin');
    mkdirSync(this.#bin);
    this.machine = { folders: [this.#bin], root, architecture, files: this.root };
  }

  /** Puts programs there that do nothing. */
  have(...names: string[]): void {
    for (const name of names) this.script(name, '');
  }

  /** Puts a program there: a shell script that also notes its command line in `calls`, and sees the real PATH. */
  script(name: string, body: string): string {
    const file = path.join(this.#bin, name);
    const note = `echo "${name} $*" >> '${path.join(this.root, 'calls')}'`;
    const real = `BIN='${this.#bin}'\nPATH="$BIN:/usr/sbin:/usr/bin:/sbin:/bin"`;
    writeFileSync(file, `#!/bin/sh\n${note}\n${real}\n${body}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  /** Command lines of all scripts so far, in order. */
  get calls(): string[] {
    try {
      return readFileSync(path.join(this.root, 'calls'), 'utf8').trimEnd().split('\n');
    } catch {
      return [];
    }
  }

  /** Writes a file, with the folders that lead to it. */
  write(file: string, text: string): string {
    const absolute = path.join(this.root, file);
    mkdirSync(path.dirname(absolute), { recursive: true });
    writeFileSync(absolute, text);
    return absolute;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
