import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { suiteOutcome } from './totals.js';
import { findProgram, guestTools } from '../setup/tools.mjs';
import type { TestRecord } from '../run/record.js';
import { macvlab } from '../cli/command-line.test-support.js';

describe('macvlab run, where guests cannot be had (needs root)', function auto() {
  this.timeout(60_000);
  let folder = '';

  before(function needsRoot() {
    if (process.geteuid?.() !== 0 || !guestTools.every(({ name }) => findProgram(name))) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'macvlab-auto-'));
  });

  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it('performs what the sandbox can, and skips the rest with the next step', async () => {
    // Nothing listens on port 9 of this machine.
    const env = { MACVLAB_CACHE: join(folder, 'cache'), MACVLAB_DEBIAN_MIRROR: 'http://127.0.0.1:9/debian' };
    const { status, stdout } = await macvlab(['run', 'A1.1', 'A2.1', '--reporter', 'json', '--out', folder], {
      cwd: folder,
      env,
    });
    expect(status).to.equal(0);
    const results = JSON.parse(stdout) as { folder: string; records: TestRecord[] };
    const of = (id: string) => results.records.filter((record) => record.id === id);
    expect(new Set(of('A1.1').map(({ verdict, lab }) => `${verdict} ${lab}`))).to.deep.equal(
      new Set(['passed sandbox']),
    );
    const [vlans] = of('A2.1');
    // A running kernel with VLANs needs no guest.
    if (vlans?.verdict === 'passed') return;
    expect(vlans).to.include({ verdict: 'skipped', lab: 'sandbox' });
    expect(vlans?.reason).to.match(/; a vm lab could carry it, but .*could be fetched.*MACVLAB_DEBIAN_MIRROR/);
    // Where every lab is promised, that is red.
    expect(suiteOutcome(results.folder, { everyLab: true }).counts).to.include({ failed: 1, skipped: 0 });
  });
});
