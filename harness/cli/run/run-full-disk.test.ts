import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { main } from '../command-line.test-support.js';

describe('a run whose disk is full (needs root)', function full() {
  this.timeout(120_000);
  let folder: string;

  before(function needsRoot() {
    if (process.geteuid?.() !== 0) this.skip();
  });
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-full-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('ends with the first test that finds no room, and tells it once', () => {
    const script = 'mount -t tmpfs -o size=400k disk "$1" && shift && exec "$@"';
    const run = [process.execPath, main, 'run', '--lab', 'sandbox', '--jobs', '1', '--reporter', 'lines'];
    const { stdout, stderr, status } = spawnSync(
      'unshare',
      [
        '--mount',
        '--propagation',
        'private',
        'sh',
        '-c',
        script,
        'sh',
        folder,
        ...run,
        '--out',
        folder,
        'A1',
        'A3',
        'X1',
      ],
      { encoding: 'utf8' },
    );
    const lines = stdout.split('\n');
    expect(
      lines.filter((line) => line.startsWith('ERROR')),
      stdout,
    ).to.have.lengthOf(1);
    const last = lines.findLastIndex((line) => /^(ok|ERROR|skipped) /.test(line));
    expect(lines[last], stdout).to.match(/^ERROR/);
    expect(lines[0]).to.match(/: (?:[3-9]\d|\d{3}) tests, /);
    expect(lines.filter((line) => line.startsWith('ok ')).length).to.be.below(
      Number(/: (\d+) tests/.exec(stdout)?.[1]) - 1,
    );
    expect(stdout + stderr)
      .to.match(/^OUT_NOT_WRITABLE: reports cannot be written/m)
      .and.to.include('the disk is full');
    expect(status).to.be.oneOf([2, 3]);
  });
});
