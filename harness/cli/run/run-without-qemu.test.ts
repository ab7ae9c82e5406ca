import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runProgram } from '../../core/program.js';
import type { TestRecord } from '../../run/record.js';
import { findProgram, installCommand } from '../../setup/tools.mjs';
import { main } from '../command-line.test-support.js';
import { needsRoot } from '../../setup/needs.test-support.js';

/**
 * This machine without QEMU, and with a /dev that no kernel fills: in mounts of its own, which end with the command. In
 * a sandbox there, a macvtap's character device is missing, even if the running kernel supports it.
 */
const withoutQemu = [
  'set -e',
  '[ -z "$1" ] || mount --bind /dev/null "$1"; shift',
  'mkdir "$1"; mount -t tmpfs dev "$1"',
  'for device in null zero full random urandom tty; do : >"$1/$device"; mount --bind "/dev/$device" "$1/$device"; done',
  'mkdir "$1/pts" "$1/shm"; mount --bind /dev/pts "$1/pts"; ln -s pts/ptmx "$1/ptmx"; ln -s /proc/self/fd "$1/fd"',
  'mount --move "$1" /dev; shift',
  'exec "$@"',
].join('\n');

describe('macvlab run --lab auto, without QEMU (needs root)', function auto() {
  this.timeout(60_000);
  let folder: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-auto-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  async function run(...words: string[]): Promise<TestRecord[]> {
    const qemu = findProgram('qemu-system-x86_64') ?? '';
    const inside = ['sh', '-c', withoutQemu, 'sh', qemu, join(folder, 'dev'), process.execPath, main, 'run', ...words];
    const printed = await runProgram(
      ['unshare', '--mount', '--propagation', 'private', '--', ...inside, '--out', folder, '--reporter', 'json'],
      { what: 'run without QEMU', next: 'nothing', env: { MACVLAB_STATE: join(folder, 'state') } },
    );
    return (JSON.parse(printed.toString()) as { records: TestRecord[] }).records;
  }

  it('skips what needs a guest with the command that would get one, and is green', async () => {
    const records = await run('A2.8', 'A1.1', '--lab', 'auto');
    const taps = records.filter(({ id }) => id === 'A2.8');
    expect(taps).to.not.be.empty;
    for (const { verdict, reason, lab } of taps) {
      expect({ verdict, lab }, reason).to.deep.equal({ verdict: 'skipped', lab: 'sandbox' });
      expect(reason).to.match(/^macvtap.*; a vm lab could carry it, but .*qemu-system-x86_64.* is missing: /);
      expect(reason).to.include(installCommand(['qemu-system-x86_64']) ?? 'install qemu-system-x86_64');
    }
    const others = records.filter(({ id }) => id === 'A1.1');
    expect(others).to.not.be.empty;
    for (const { verdict, reason } of others) expect(verdict, reason).to.equal('passed');
  });
});
