import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { skipWithoutRoot } from '../../machine/sandbox/sandbox.test-support.js';
import { runKillTests } from './kill-tests.js';
import { type KillPlan } from './scratch-machine.js';
import type { KilledRun } from './scratch-machine.js';

describe('ending runs in the sandbox (root)', function () {
  this.timeout(240_000);
  let folder: string;

  before(function () {
    skipWithoutRoot(this);
    folder = mkdtempSync(join(tmpdir(), 'macvlab-ends-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function endsOf(more: Partial<KillPlan>): Promise<{ steps: string[]; endings: KilledRun[] }> {
    const endings: KilledRun[] = [];
    const found = (ending: KilledRun) => void endings.push(ending);
    const signal = new AbortController().signal;
    const plan = { run: ['--lab', 'sandbox', 'A1.1'], containers: false, gc: false, folder, jobs: 2, signal, found };
    return { steps: await runKillTests({ choose: () => [], ...plan, ...more }), endings };
  }

  it('leaves nothing, at whatever step, and the next run passes', async () => {
    // While the lab opens, while it is wired, and during an experiment.
    const { steps, endings } = await endsOf({
      choose: (count) => [
        { at: 12, how: 'SIGKILL' },
        { at: 30, how: 'SIGTERM' },
        { at: Math.floor(count / 2), how: 'SIGKILL' },
        { at: Math.floor(count / 2), how: 'twice' },
      ],
    });
    expect(steps.some((step) => step.startsWith('program: spawn unshare'))).to.be.true;
    expect(steps.some((step) => step.startsWith('begin: node1: ping'))).to.be.true;
    expect(endings).to.have.length(4);
    for (const { how, exit, troubles } of endings) {
      expect(troubles).to.be.empty;
      expect(exit).to.equal(how === 'SIGKILL' ? 'SIGKILL' : '130');
    }
    expect(readdirSync(folder), 'folders of the machines').to.be.empty;
  });

  it('notices a lab that is left running', async () => {
    const run = ['--lab', 'sandbox', 'A1.1', '--keep', 'always'];
    const error = await endsOf({ run, jobs: 1, settle: 500 }).then(
      () => expect.fail('nothing was noticed'),
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(MacvlabError);
    const { evidence } = error as MacvlabError;
    expect(evidence).to.match(/^left: process \d+ \(child of \d+\): unshare /m);
    expect(evidence).to.match(/^left: process \d+ \(child of \d+\): sleep /m);
    expect(evidence).to.match(/^left: state file .*\.json$/m);
  });
});

describe('npm run kill-tests', () => {
  const main = fileURLToPath(new URL('main.js', import.meta.url));

  for (const wrong of [
    '--lab=moon',
    '--how=SIGHUP',
    '--sample=x',
    '--sample=0',
    '--steps=9',
    '--steps=9-3',
    '--jobs=0',
  ])
    it(`refuses ${wrong} before anything is made`, () => {
      const out = join(tmpdir(), `macvlab-no-ends-${process.pid}`);
      const { status, stderr } = spawnSync(process.execPath, [main, wrong, '--out', out], { encoding: 'utf8' });
      expect(stderr).to.match(/^USAGE: .*\n {2}next: /);
      expect(status).to.equal(2);
      expect(existsSync(out)).to.equal(false);
    });
});
