import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostLinks, TestEngine, whyNoContainers } from '../../machine/container/engine.test-support.js';
import { timeout, poll } from '../../core/wait.js';
import { findDetached } from '../../machine/detached/detached-labs.js';
import { macvlab } from '../command-line.test-support.js';

const why = whyNoContainers();

describe(`a container lab that is left running${why}`, function () {
  this.timeout(300_000);
  let engine: TestEngine;
  let folder: string;
  let links: string;
  let states: string | undefined;

  before(async function () {
    if (why !== '') this.skip();
    links = hostLinks();
    folder = mkdtempSync(join(tmpdir(), 'macvlab-kept-'));
    states = process.env.MACVLAB_STATE;
    process.env.MACVLAB_STATE = folder;
    engine = await TestEngine.start();
  });
  after(async () => {
    if (why !== '') return;
    await macvlab(['lab', 'down', '--all']);
    await engine.stop();
    if (states === undefined) delete process.env.MACVLAB_STATE;
    else process.env.MACVLAB_STATE = states;
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    const { status, stderr } = await macvlab(['lab', 'up', '--lab', 'container', '--name', 'kept']);
    expect(status, stderr).to.equal(0);
  });
  afterEach(() => expect(hostLinks(), 'the host’s links').to.equal(links));

  const gone = async () => ((await engine.ours()).length === 0 ? true : undefined);

  it('is entered by others, left alone by gc, and gone when it is ended', async () => {
    const ping = await macvlab(['lab', 'shell', 'node1', '--', 'ping', '-c1', '-w10', '192.168.245.172']);
    expect(ping.status, ping.stderr).to.equal(0);
    const client = await macvlab(['lab', 'shell', 'client', '--', 'cat', '/proc/sys/kernel/hostname']);
    expect(client.stdout).to.equal('switch\n');
    expect((await macvlab(['lab', 'status'])).stdout).to.match(/^kept: container, /);
    expect((await macvlab(['gc'])).stdout).to.equal('lab kept is running: left alone\nnothing was left behind\n');
    expect(await engine.ours()).to.have.lengthOf(3);
    expect((await macvlab(['lab', 'down'])).stdout).to.equal('lab kept has ended\n');
    expect(await engine.ours()).to.deep.equal([]);
  });

  it('goes with its holder, whoever ends that', async () => {
    process.kill(findDetached('kept').keeper.pid, 'SIGKILL');
    await poll(gone, { what: 'the containers to be gone', deadline: timeout(30_000) });
    expect((await macvlab(['gc'])).stdout).to.equal('lab kept is dead: its state file is removed\n');
  });
});
