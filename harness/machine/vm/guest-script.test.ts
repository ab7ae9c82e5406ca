import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { newKeyPair } from '../../remote/keys.js';
import {
  commonScript,
  type GuestLayout,
  type GuestServers,
  identityScript,
  resumedScript,
  serverScript,
} from './guest-script.js';

const keys = { host: newKeyPair(), user: newKeyPair() };
const plan: GuestLayout = { namespaces: ['node1', 'node2'], cards: false, engines: false };
const identity = { name: 'guest', keys };
const servers: GuestServers = {
  sessions: new Map([
    ['machine', undefined],
    ['node1', 'node1'],
    ['node2', 'node2'],
  ]),
  slots: new Map(),
};

describe('what a guest’s init performs at first', () => {
  const sshd = '/usr/sbin/sshd -e -f /run/macvlab/sshd_config -i';

  for (const [what, more] of [
    ['plain', {}],
    ['with cards', { cards: true }],
    ['without namespaces', { namespaces: [] }],
  ] as const) {
    it(`is a script that shells accept (${what})`, () => {
      const script = [...commonScript({ ...plan, ...more }), ...identityScript(identity)];
      execFileSync('sh', ['-n'], { input: script.join('\n'), stdio: 'pipe' });
    });
  }

  it('is a script that shells accept (after a resume)', () => {
    const script = resumedScript(Date.now() * 1000, ['02:00:00:00:00:01']);
    execFileSync('sh', ['-n'], { input: script.join('\n'), stdio: 'pipe' });
  });

  it('gives NICs their own addresses after a resume, in their order', () => {
    expect(resumedScript(0, ['02:00:00:00:00:08', '02:00:00:00:00:09']).at(-1)).to.include(
      'link set eth0 address 02:00:00:00:00:08\nlink set eth1 address 02:00:00:00:00:09\n',
    );
    expect(resumedScript(0, []).join('\n')).to.not.include('address');
  });

  for (const [what, more] of [
    ['of ports', {}],
    ['of a machine alone', { sessions: new Map([['machine', undefined]]) }],
    ['of ports and slots', { slots: new Map([['node1.1', 'node1']]) }],
  ] as const) {
    it(`starts sshds by a script that shells accept (${what})`, () => {
      execFileSync('sh', ['-n'], { input: serverScript({ ...servers, ...more }).join('\n'), stdio: 'pipe' });
    });
  }

  it('ends where anything fails, and begins with that', () => {
    expect(commonScript(plan)[0]).to.equal('set -e');
  });

  it('puts an sshd behind each port, in its node’s namespace', () => {
    const lines = serverScript(servers);
    expect(lines).to.have.lengthOf(3);
    for (const [index, [port, enter]] of [
      ['machine', ''],
      ['node1', 'nsenter --net=/run/netns/node1 -- '],
      ['node2', 'nsenter --net=/run/netns/node2 -- '],
    ].entries()) {
      expect(lines[index]).to.include(`exec 9<>/run/port.${port};`).and.to.include(` | ${enter}${sshd} `);
      expect(lines[index]).to.match(/ &$/);
    }
  });

  it('puts an sshd behind a slot again and again, each time announced to who waits there', () => {
    const [loop, ...others] = serverScript({ ...servers, slots: new Map([['node1.2', 'node1']]) }).filter((line) =>
      line.includes('/run/port.node1.2;'),
    );
    expect(others).to.deep.equal([]);
    expect(loop).to.match(/while echo "macvlab node1" >&9; do .*nsenter --net=\/run\/netns\/node1 -- .*; done\) &$/);
  });

  it('makes the namespaces by one ip, behind the loopback', () => {
    const batch = commonScript(plan).find((line) => line.startsWith('ip -batch'));
    expect(batch).to.include('link set lo up\nnetns add node1\nnetns add node2\nEND OF FILE');
  });

  it('loads the driver of network cards where there are some', () => {
    expect(commonScript(plan).join('\n')).to.not.include('modprobe');
    expect(commonScript({ ...plan, cards: true })).to.include('modprobe -q virtio_net');
  });

  it('mounts the container engines’ programs where it has their disk', () => {
    expect(commonScript(plan).join('\n')).to.not.include('/dev/vdb');
    expect(commonScript({ ...plan, engines: true })).to.include(
      'mount -t squashfs -o ro /dev/vdb /run/macvlab/engines',
    );
  });

  it('holds the keys of the lab, readable for root alone', () => {
    const script = identityScript(identity);
    const at = (words: string) => script.findIndex((line) => line.includes(words));
    const secret = script.lastIndexOf('umask 077');
    expect(secret).to.be.above(0);
    expect(at(keys.host.private.trimEnd())).to.be.above(secret);
    expect(at(keys.user.public)).to.be.above(secret);
    expect(script.lastIndexOf('umask 022')).to.be.above(at(keys.user.public));
    expect(script.join('\n')).to.not.include(keys.user.private.trimEnd());
  });

  it('really names the machine', () => {
    expect(identityScript({ ...identity, name: 'node2' })).to.include('echo node2 >/proc/sys/kernel/hostname');
  });
});
