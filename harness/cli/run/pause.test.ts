import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Changes, timeout } from '../../core/wait.js';
import { attachDetached } from '../../machine/drivers.js';
import { findDetached } from '../../machine/detached/detached-labs.js';
import { sandboxDriver } from '../../machine/sandbox/sandbox.js';
import type { LabDriver } from '../../machine/driver.js';
import { runSuites } from '../../run/run-suites.js';
import { needsRoot } from '../../setup/needs.test-support.js';
import { pauses } from './pause.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));

/** Its switch reflects at node1's port, so that an experiment without hairpin fails. */
const reflecting: LabDriver = {
  ...sandboxDriver,
  async open(topology, wire) {
    const machines = await sandboxDriver.open(topology, wire);
    await machines.nodes.switch?.run(['bridge', 'link', 'set', 'dev', 'node1', 'hairpin', 'on']);
    return machines;
  },
};

const vepa = 'a1-vepa-to-sibling';

describe('run --pause-on-failure (needs root)', function pausing() {
  this.timeout(60_000);
  let folder: string;
  let state: string | undefined;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-pause-'));
    state = process.env.MACVLAB_STATE;
    process.env.MACVLAB_STATE = join(folder, 'state');
  });
  afterEach(() => {
    if (state === undefined) delete process.env.MACVLAB_STATE;
    else process.env.MACVLAB_STATE = state;
    rmSync(folder, { recursive: true });
  });

  /** Begins a run of one experiment. */
  function begin(driver: LabDriver, pause?: () => Promise<void>) {
    const printed: string[] = [];
    const changes = new Changes();
    const input = new PassThrough();
    const interruption = new AbortController();
    const print = (line: string) => {
      printed.push(line);
      changes.notify();
    };
    const ended = runSuites(
      {
        ...{ filters: [vepa], out: join(folder, 'reports'), lab: 'sandbox', jobs: 1, bail: false, keep: 'never' },
        ...{ arguments: [], signal: interruption.signal, pauseOnFailure: pause ?? pauses(print, input) },
        listener: { remark: print, begin() {}, testStarted() {}, testEnded() {}, end() {} },
      },
      [driver],
    );
    const paused = () =>
      changes.until(() => printed.find((line) => line.startsWith('Enter ')), {
        what: 'the run to pause',
        deadline: timeout(20_000),
        evidence: () => printed.join('\n'),
      });
    return { ended, paused, printed, input, interruption };
  }

  it('the lab is as the failed experiment left it, and other commands reach it; Enter continues', async () => {
    const { ended, paused, printed, input } = begin(reflecting);
    await paused();
    const text = printed.join('\n');
    expect(text)
      .to.match(/^FAILED A1\.3 vepa/m)
      .and.to.match(/evidence: /);
    const [, name = ''] = /macvlab lab shell node1 --name (\S+)/.exec(text) ?? [];
    const argv = ['lab', 'shell', 'node1', '--name', name, '--', 'ip', '-n', 'node1-ns2', '-d', 'link', 'show', 'eth0'];
    const { stdout, stderr } = spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8' });
    expect(stdout, stderr).to.include('macvlan mode vepa');
    input.write('\n');
    const { records } = await ended;
    expect(records.map(({ verdict }) => verdict)).to.deep.equal(['failed']);
    expect(records[0]?.pausedMs).to.be.above(0);
    expect(() => findDetached()).to.throw('no lab is running');
  });

  it('an interrupted run does not wait for Enter, and leaves nothing', async () => {
    const { ended, paused, printed, interruption } = begin(reflecting);
    await paused();
    const machines = await attachDetached(findDetached());
    await machines.close();
    interruption.abort(new Error('enough'));
    const { run, records } = await ended;
    expect(printed).to.include('the pause ends: enough');
    expect(run.interrupted).to.equal(true);
    expect(records).to.have.lengthOf(1);
    expect(readdirSync(join(folder, 'state'))).to.deep.equal([]);
  });

  it('an experiment that passes does not pause the run', async () => {
    const { records } = await begin(sandboxDriver).ended;
    expect(records.map(({ verdict, pausedMs }) => [verdict, pausedMs])).to.deep.equal([['passed', undefined]]);
  });

  it('a pause that fails: the record is written, and the run says why', async () => {
    const { ended, printed } = begin(reflecting, () => Promise.reject(new Error('no state folder')));
    const { records } = await ended;
    expect(records.map(({ verdict, pausedMs }) => [verdict, pausedMs])).to.deep.equal([['failed', undefined]]);
    expect(printed).to.include('no pause after A1.3: no state folder');
  });

  it('is refused without a terminal', () => {
    const { status, stderr } = spawnSync(process.execPath, [main, 'run', vepa, '--pause-on-failure'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(status).to.equal(2);
    expect(stderr)
      .to.match(/not a terminal/)
      .and.to.match(/next: .*--keep on-failure/);
  });
});
