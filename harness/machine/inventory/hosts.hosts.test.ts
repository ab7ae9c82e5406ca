import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { type Hosts, skipWithoutHosts, startHosts } from './hosts.test-support.js';
import { nodeHosts } from './hosts-script.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

describe('hosts to test with (needs root)', function hostsToTestWith() {
  this.timeout(60_000);
  let hosts: Hosts;

  before(async function () {
    skipWithoutHosts(this);
    hosts = await startHosts();
  });
  after(() => hosts?.close());

  it('are reached by ssh, the last of them by way of another', async () => {
    for (const name of nodeHosts) {
      const { stdout, stderr } = await hosts.run(hosts.ssh(name, ['hostname; id -un']));
      expect(stdout, stderr).to.equal(`${name}\nroot\n`);
    }
    const direct = ['ssh', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=2', '-l', 'root', '10.99.1.4', 'true'];
    expect((await hosts.run(direct)).status).to.equal(255);
  });

  it('are on one wire', async () => {
    await hosts.onHost('h1', ['ip', 'address', 'add', '192.0.2.1/24', 'dev', 'eth1']);
    await hosts.onHost('h4', ['ip', 'address', 'add', '192.0.2.4/24', 'dev', 'eth1']);
    await hosts.onHost('h1', ['ping', '-c', '1', '-W', '5', '192.0.2.4']);
    for (const name of ['h1', 'h4'] as const) await hosts.onHost(name, ['ip', 'address', 'flush', 'dev', 'eth1']);
    expect(await hosts.onSwitch(['bridge', 'link']))
      .to.contain('h1@')
      .and.to.contain('h4@');
  });

  it('refuse a wrong key, and are refused when their own is unknown or another', async () => {
    const { wrongIdentity, noKnownHosts } = hosts.files;
    const wrong = await hosts.run(hosts.ssh('h1', ['true'], { options: ['-i', wrongIdentity] }));
    expect(wrong.stderr).to.contain('Permission denied');
    const unknown = ['-o', `UserKnownHostsFile=${noKnownHosts}`];
    expect((await hosts.run(hosts.ssh('h1', ['true'], { options: unknown }))).stderr).to.contain('verification failed');
    await hosts.changeHostKey('h1');
    expect((await hosts.run(hosts.ssh('h1', ['true']))).stderr).to.contain('IDENTIFICATION HAS CHANGED');
    hosts.trustHosts();
    expect((await hosts.run(hosts.ssh('h1', ['true']))).status).to.equal(0);
  });

  it('let ops become root, or not', async function withSudo() {
    needs(this, 'sudo');
    const command = hosts.ssh('h2', ['sudo', '-n', 'id', '-u'], { user: 'ops' });
    const { stdout, stderr } = await hosts.run(command);
    expect(stdout, stderr).to.equal('0\n');
    await hosts.setSudo('h2', 'with password');
    expect((await hosts.run(command)).stderr).to.contain('a password is required');
    await hosts.setSudo('h2', 'nothing');
    expect((await hosts.run(command)).status).to.equal(1);
    await hosts.setSudo('h2', 'without password');
  });

  it('lose their management, or all connections', async () => {
    const quick = ['-o', 'ConnectTimeout=2'];
    hosts.setManagement('h2', false);
    expect((await hosts.run(hosts.ssh('h2', ['true'], { options: quick }))).status).to.equal(255);
    hosts.setManagement('h2', true);
    const hanging = hosts.start(hosts.ssh('h2', ['echo here; cat']), { input: '' });
    expect((await hanging.ended).stdout).to.equal('here\n');
    const sleeping = hosts.start(hosts.ssh('h2', ['echo here; sleep 100']));
    await sleeping.said('here');
    await hosts.dropConnections('h2');
    expect((await sleeping.ended).status).to.equal(255);
  });

  it('show the traces of what is done on them', async () => {
    const before = await hosts.traces('h3');
    expect(await hosts.traces('h3')).to.equal(before);
    for (const [done, undone] of [
      ['ip link add mac0 link eth1 type macvlan', 'ip link delete mac0'],
      ['ip netns add left', 'ip netns delete left'],
      ['setsid sleep 1000 >/dev/null 2>&1 &', 'kill $(cat /proc/1/task/1/children)'],
    ] as const) {
      await hosts.onHost('h3', ['sh', '-c', done]);
      expect(await hosts.traces('h3'), done).to.not.equal(before);
      await hosts.onHost('h3', ['sh', '-c', undone]);
    }
    await hosts.onHost('h3', [
      'sh',
      '-c',
      'ip netns add left; ip netns delete left; umount /run/netns; rmdir /run/netns',
    ]);
    expect(await hosts.traces('h3')).to.equal(before);
  });

  it('kill what is told to be killed, and touch nothing of this machine', async () => {
    const sleeping = hosts.start(['sh', '-c', 'echo up; exec sleep 100']);
    await sleeping.said('up');
    sleeping.kill('SIGKILL');
    expect((await sleeping.ended).status).to.not.equal(0);
    const links = spawnSync('ip', ['-o', 'link'], { encoding: 'utf8' }).stdout;
    expect(links).to.not.contain('m-h1').and.to.not.contain('br0');
    const disk = await hosts.tryOnHost('h1', ['touch', '/var/macvlab-was-here']);
    expect(disk.stderr).to.contain('Read-only');
  });
});
