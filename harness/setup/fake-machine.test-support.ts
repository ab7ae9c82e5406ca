/** Machines for the tests of the set-up: temporary folders with real programs. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Machine } from './machine.mjs';
import { beQuiet } from './report.mjs';

beQuiet();

/** A machine with only the programs that a test creates. */
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

  /** Creates programs that do nothing. */
  have(...names: string[]): void {
    for (const name of names) this.script(name, '');
  }

  /** Creates a program: a shell script that also records its command line in `calls`, and has the real PATH. */
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

  /** Writes a file, and creates its parent folders. */
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
