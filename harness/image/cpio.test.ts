import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpioArchive, type CpioEntry } from './cpio.js';

const installed = spawnSync('cpio', ['--version']).status === 0;
const why = installed ? '' : ' (skipped: cpio is not installed; apt-get install cpio)';

const entries: CpioEntry[] = [
  { name: 'bin', folder: true },
  { name: 'bin/odd', content: 'three', executable: true },
  { name: 'bin/link', link: 'odd' },
  { name: 'empty', content: '' },
  { name: 'node', device: [5, 1] },
];

describe('an archive for the kernel', () => {
  it('has no time, owner or chance in it', () => {
    expect(cpioArchive(entries).equals(cpioArchive(entries))).to.equal(true);
    expect(cpioArchive(entries).length % 4).to.equal(0);
  });

  it(`is read by cpio as it was meant${why}`, function () {
    if (!installed) this.skip();
    const listed = spawnSync('cpio', ['-itvn', '--quiet'], { input: cpioArchive(entries), encoding: 'utf8' });
    expect(listed.stderr).to.equal('');
    const lines = listed.stdout.trimEnd().split('\n');
    expect(lines.map((line) => [line.slice(0, 10), line.replace(/^.* \d{4} /, '')])).to.deep.equal([
      ['drwxr-xr-x', 'bin'],
      ['-rwxr-xr-x', 'bin/odd'],
      ['lrwxrwxrwx', 'bin/link -> odd'],
      ['-rw-r--r--', 'empty'],
      ['crw-------', 'node'],
    ]);
    expect(lines[4]).to.match(/ 5, +1 /);
  });

  it(`is unpacked to the same contents${why}`, function () {
    if (!installed) this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'macvlab-cpio-'));
    try {
      const input = cpioArchive(entries.filter((entry) => !('device' in entry)));
      expect(spawnSync('cpio', ['-i', '--quiet'], { cwd: folder, input }).status).to.equal(0);
      expect(readFileSync(join(folder, 'bin/link'), 'utf8')).to.equal('three');
      expect(statSync(join(folder, 'bin/odd')).mode & 0o777).to.equal(0o755);
      expect(statSync(join(folder, 'empty')).size).to.equal(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
