import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { main } from '../../../cli/command-line.test-support.js';
import { timeout, poll } from '../../../core/wait.js';
import type { Task } from './changing.test-support.js';
import { type Hosts, type Running, skipWithoutHosts, startHosts } from '../hosts.test-support.js';
import type { HostAddress } from '../file/machine.js';
import { asBefore } from './settled.test-support.js';

const changing = fileURLToPath(new URL('changing.test-support.js', import.meta.url));

describe('hosts that are minded (needs root, sshd)', function mindedHosts() {
  this.timeout(120_000);
  let hosts: Hosts;
  let untouched: string;

  before(async function () {
    skipWithoutHosts(this);
    hosts = await startHosts();
  });
  after(() => hosts?.close());

  function start(address: HostAddress, more: Partial<Task> = {}): Running {
    const task: Task = { hosts: [{ address, nic: 'eth1' }], ...more };
    return hosts.start([process.execPath, changing, JSON.stringify(task)], { input: null });
  }

  async function tell(running: Running, ...words: string[]): Promise<void> {
    for (const word of words) {
      running.write(word);
      await running.said(`${word}: done`);
    }
  }

  async function returnsToNormal(): Promise<void> {
    await asBefore(untouched, () => hosts.traces('h1'), 15_000);
    expect(readdirSync(join(hosts.files.folder, 'state', 'inventory'))).to.be.empty;
  }

  describe('over another card', () => {
    before(async () => {
      untouched = await hosts.traces('h1');
    });
    afterEach(returnsToNormal);

    it('are as they were', async () => {
      const run = start(hosts.address('h1'));
      await tell(run, 'begin guarded', 'change');
      await hosts.onHost('h1', ['ip', 'neighbour', 'add', '10.211.55.9', 'lladdr', '02:00:00:00:00:09', 'dev', 'eth1']);
      await tell(run, 'undo');
      run.write('end guarded');
      const { status, stdout, stderr } = await run.ended;
      expect(status, stderr).to.equal(0);
      expect(stdout).to.contain('snapshots: h1-after.txt h1-before.txt\n').and.not.to.contain('LAB_DAMAGED');
    });

    it('are told to be otherwise, in words', async () => {
      const run = start(hosts.address('h1'));
      await tell(run, 'begin guarded', 'change', 'undo');
      await hosts.onHost('h1', ['ip', 'address', 'add', '203.0.113.1/32', 'dev', 'eth1']);
      run.write('end guarded');
      const { stdout } = await run.ended;
      expect(stdout).to.match(
        /^LAB_DAMAGED: a host is not as it was before the lab\n {4}h1: \+ address 203\.0\.113\.1\/32 on eth1/m,
      );
      expect(stdout).to.contain('h1-differences.txt');
      await hosts.onHost('h1', ['ip', 'address', 'delete', '203.0.113.1/32', 'dev', 'eth1']);
    });

    it('are undone what is due, also when the connection with them was lost', async () => {
      const run = start(hosts.address('h1'));
      await tell(run, 'begin guarded', 'change');
      await hosts.dropConnections('h1');
      run.write('end guarded');
      const { status, stdout, stderr } = await run.ended;
      expect(status, stderr).to.equal(0);
      expect(stdout).to.contain('snapshots: h1-after.txt').and.not.to.contain('LAB_DAMAGED');
    });
  });

  describe('over the very card', () => {
    let address: HostAddress;

    before(async () => {
      const host = await hosts.reachOverWire('h1');
      address = hosts.address('h1', { host });
      await hosts.onHost('h1', ['ip', 'address', 'add', '2001:db8:98::1/64', 'dev', 'eth1', 'nodad']);
      await hosts.onHost('h1', [
        'ip',
        'route',
        'add',
        'default',
        'via',
        '10.98.0.254',
        'proto',
        'dhcp',
        'metric',
        '50',
      ]);
      await hosts.onHost('h1', ['ip', '-6', 'route', 'add', '2001:db8:99::/64', 'via', '2001:db8:98::7']);
      hosts.setManagement('h1', false);
      untouched = await hosts.traces('h1');
    });
    afterEach(returnsToNormal);

    it('come back by themselves when they have been cut off, and the run goes on', async () => {
      const run = start(address, { allowDisconnect: true });
      await tell(run, 'begin guarded', 'cut');
      expect(run.stdout()).to.contain('HOST_LOST: h1 was cut off when its eth1 went down, and has brought it back');
      await tell(run, 'undo');
      run.write('end guarded');
      const { status, stdout, stderr } = await run.ended;
      expect(status, stderr).to.equal(0);
      expect(stdout).not.to.contain('LAB_DAMAGED');
    });

    it('come back by themselves when the run was killed with the link down', async () => {
      const run = start(address, { allowDisconnect: true });
      await tell(run, 'begin guarded');
      run.write('cut');
      await poll(
        async () => (await hosts.onHost('h1', ['ip', 'link', 'show', 'eth1'])).includes('state DOWN') || undefined,
        {
          what: 'eth1 to be down',
          deadline: timeout(20_000),
        },
      );
      run.kill('SIGKILL');
      await run.ended;
      await poll(
        async () => (await hosts.onHost('h1', ['ip', 'route'])).includes('default via 10.98.0.254') || undefined,
        {
          what: 'h1 to bring its eth1 back',
          deadline: timeout(20_000),
        },
      );
      const gc = await hosts.run([process.execPath, main, 'gc', '--lab', 'inventory']);
      expect(gc, gc.stderr).to.include({ status: 0 });
      expect(gc.stdout).to.match(/^h1: 2 changes of a run that is gone are taken back/);
    });
  });
});
