import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { withLock } from '../../setup/lock.mjs';
import { suiteOutcome } from './totals.js';
import { guestTools } from '../../setup/tools.mjs';
import type { TestRecord } from '../../run/record.js';
import { macvlab, main } from '../../cli/command-line.test-support.js';
import { needs, needsRoot } from '../../setup/needs.test-support.js';

describe('macvlab run, where guests cannot be had (needs root)', function auto() {
  this.timeout(60_000);
  let folder = '';

  before(function () {
    needsRoot(this);
    needs(this, ...guestTools.map(({ name }) => name));
    folder = mkdtempSync(join(tmpdir(), 'macvlab-auto-'));
  });

  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it('performs what it can while a set-up is at work, and the rest when that has ended', async () => {
    const env = { MACVLAB_CACHE: join(folder, 'none'), MACVLAB_DEBIAN_MIRROR: 'http://127.0.0.1:9/debian' };
    const events: string[] = [];
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const project = fileURLToPath(new URL('../../../..', import.meta.url));
    const setUp = withLock(project, async () => {
      events.push('begun');
      await finished;
      events.push('ended');
    });
    const argv = ['run', 'A1.1', 'X9.5', '--reporter', 'lines', '--out', folder];
    const child = spawn(process.execPath, [main, ...argv], { cwd: folder, env: { ...process.env, ...env } });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        output.push(line);
        if (/^(?:ok|skipped) /.test(line)) events.push(line.split(' ').slice(0, 2).join(' '));
        if (events.filter((event) => event === 'ok A1.1').length === 4) finish();
      });
    }
    const [status] = (await once(child, 'close')) as [number];
    finish();
    await setUp;
    expect(status, output.join('\n')).to.equal(0);
    expect(events.slice(0, 2)).to.deep.equal(['begun', 'ok A1.1']);
    expect(events.indexOf('ended'), events.join(', ')).to.be.above(events.lastIndexOf('ok A1.1'));
    expect(events.slice(events.indexOf('ended') + 1)).to.include('skipped X9.5');
  });

  it('performs what the sandbox can, and skips the rest with the next step', async () => {
    // No program listens on port 9 of this machine.
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
    // If every lab is promised, this is red.
    expect(suiteOutcome(results.folder, { everyLab: true }).counts).to.include({ failed: 1, skipped: 0 });
  });
});
