import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { needsRoot } from '../setup/needs.test-support.js';
import { runInLabs } from './run-suites.test-support.js';

/**
 * Processes of an experiment without its pings, with its share of the lab's own captures and wiring. Pings are not
 * counted, because a busy machine sends more witnesses.
 */
const most = 8;

describe('the processes of experiments (needs root)', function () {
  this.timeout(180_000);
  let out: string;

  before(function () {
    needsRoot(this);
    out = mkdtempSync(join(tmpdir(), 'macvlab-processes-'));
  });
  after(() => out && rmSync(out, { recursive: true }));

  it(`articles A1 and A4: at most ${most} for each experiment, besides its pings`, async function () {
    const { records, started } = await runInLabs({ filters: ['A1', 'A4'], out, labs: { sandbox: 'plain' } });
    const passed = records.filter(({ verdict }) => verdict === 'passed').length;
    const { ping = 0, ...others } = started;
    const each = Object.values(others).reduce((sum, count) => sum + count, 0) / passed;
    this.test!.title += ` (${each.toFixed(1)})`;
    expect(passed).to.be.above(30);
    expect(ping / passed, 'pings').to.be.above(2);
    expect(others.tcpdump, 'captures').to.be.above(passed);
    expect(each).to.be.at.most(most);
  });
});
