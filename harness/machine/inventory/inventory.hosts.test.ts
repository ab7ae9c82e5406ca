import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Ended, HostName, Hosts } from './hosts.test-support.js';
import { settledTraces } from './restore/settled.test-support.js';
import { hostPlaces, skipWithoutHosts, startHosts } from './hosts.test-support.js';

const cli = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

describe('a lab on hosts of an inventory (needs root)', function inventoryLab() {
  this.timeout(240_000);
  let hosts: Hosts;

  before(async function () {
    skipWithoutHosts(this);
    hosts = await startHosts();
  });
  after(() => hosts?.close());

  async function macvlab(...argv: string[]): Promise<Ended> {
    return hosts.run(['node', cli, ...argv], { cwd: hosts.files.folder });
  }

  const doctor = (file: string) => macvlab('doctor', '--lab', 'inventory', '--inventory', file, '--json');
  const run = (file: string, ...argv: string[]) =>
    macvlab('run', '--reporter', 'lines', '--lab', 'inventory', '--inventory', file, ...argv);

  /** The switch as a Linux bridge that macvlab may configure by SSH. */
  function bridge(more: Record<string, unknown> = {}) {
    const { nic: _, ...reachable } = hosts.machine('switch');
    const ports = { node1: 'h1', node2: 'h2', router: 'h3' };
    return { switch: { driver: { bridge: { ...reachable, device: 'br0', ports, ...more } } } };
  }

  const three = { node1: 'h1', node2: 'h2', router: 'h3' } as const satisfies Record<string, HostName>;

  it('is described by doctor, host by host', async () => {
    const { stdout, stderr, status } = await doctor(hosts.inventory(three, bridge()));
    expect(status, stderr).to.equal(0);
    const { findings } = JSON.parse(stdout) as { findings: { what: string; found: boolean; detail: string }[] };
    expect(findings.map(({ what }) => what)).to.deep.equal([
      ...['ssh', 'inventory', 'switch'],
      ...['node1', 'node2', 'router'].flatMap((name) => [name, `${name} eth1`, `${name} VLANs`, `${name} clock`]),
      ...['switch', 'switch br0', 'addresses', 'experiments'],
    ]);
    expect(findings.find(({ what }) => what === 'node1')?.detail).to.match(
      /^root@10.99.0.1: Linux .*iproute2.*tcpdump/,
    );
  });

  it('is lacking what doctor finds, and the rest is told all the same', async () => {
    const file = hosts.inventory(three);
    await hosts.onHost('h2', ['ip', 'link', 'set', 'eth1', 'down']);
    try {
      const { stdout, status } = await doctor(file);
      expect(status).to.equal(3);
      const { findings } = JSON.parse(stdout) as { findings: { what: string; found: boolean; detail: string }[] };
      expect(findings.filter(({ found }) => !found).map(({ detail }) => detail)).to.deep.equal([
        'eth1 of node2 is down',
      ]);
    } finally {
      await hosts.onHost('h2', ['ip', 'link', 'set', 'eth1', 'up']);
    }
  });

  it('performs experiments with three hosts and a switch that may be set, and leaves nothing', async () => {
    const all = ['h1', 'h2', 'h3', 'switch'] as const;
    const traces = () => Promise.all(all.map((name) => settledTraces(hosts, name)));
    const before = await traces();
    const { stdout, stderr, status } = await run(hosts.inventory(three, bridge()), 'A1.4', 'A4.8');
    expect(status, `${stdout}${stderr}`).to.equal(0);
    expect(`${stdout}${stderr}`).to.include('5 passed, 0 failed, 0 skipped');
    expect(await traces()).to.deep.equal(before);
    const times = ['after', 'before'];
    expect(readdirSync(join(hosts.files.folder, 'reports/latest/hosts')).sort()).to.deep.equal(
      ['node1', 'node2', 'router', 'switch'].flatMap((name) => times.map((when) => `1-${name}-${when}.txt`)),
    );
  });

  it('skips what two hosts and a described switch cannot do, with the reason', async () => {
    const file = hosts.inventory({ node1: 'h1', node2: 'h2' }, { switch: { hairpin: { node1: 'off', node2: 'off' } } });
    const { stdout, stderr, status } = await run(file, 'A1.1', 'A1.4');
    const said = `${stdout}${stderr}`;
    expect(status, said).to.equal(0);
    expect(said)
      .to.include('the inventory names no third machine')
      .and.to.match(/0 failed, \d+ skipped/);
  });

  it('does not cut a connection of its own, unless it is told to', async () => {
    const machines = {
      node1: hosts.machine('h1', { nic: 'mgmt0' }),
      node2: hosts.machine('h2', { nic: 'mgmt0' }),
      router: hosts.machine('h3', { nic: 'mgmt0' }),
    };
    const { stdout, stderr, status } = await run(hosts.inventory({}, { machines }), 'A4.9');
    expect(status, `${stdout}${stderr}`).to.equal(3);
    expect(`${stdout}${stderr}`)
      .to.include('carries the SSH connection')
      .and.to.include('--allow-disconnect')
      .and.to.include('no experiment ran');
  });

  describe('is refused', () => {
    async function refused(file: string, code: string, ...words: (string | RegExp)[]): Promise<void> {
      const { stdout, stderr, status } = await run(file, 'A1.1');
      const said = `${stdout}${stderr}`;
      expect(status, said).to.equal(3);
      expect(said).to.include(code);
      for (const word of words) {
        if (typeof word === 'string') expect(said).to.include(word);
        else expect(said).to.match(word);
      }
      expect(said).to.include('next:');
    }

    it('with a NIC that there is not, naming those that there are', () =>
      refused(
        hosts.inventory({}, { machines: { node1: hosts.machine('h1', { nic: 'eth7' }), node2: hosts.machine('h2') } }),
        'HOST_NIC',
        'node1 has no network card eth7',
        'mgmt0, eth1',
      ));

    it('with a NIC that is a bridge’s port', async () => {
      await hosts.onHost('h1', ['sh', '-c', 'ip link add brx type bridge && ip link set eth1 master brx']);
      try {
        await refused(hosts.inventory(three), 'HOST_NIC', 'eth1 of node1 is a port of the bridge brx');
      } finally {
        await hosts.onHost('h1', ['ip', 'link', 'delete', 'brx']);
      }
    });

    it('with one host under two names', () =>
      refused(
        hosts.inventory(
          {},
          {
            machines: {
              node1: hosts.machine('h1'),
              node2: hosts.machine('h1', { host: hostPlaces.h1.address, jump: `root@${hostPlaces.h3.address}` }),
            },
          },
        ),
        'LAB_OPEN',
        'node1 and node2 are one host',
      ));

    it('with a bridge that is none, or a port that is another’s', async () => {
      await refused(hosts.inventory(three, bridge({ device: 'br7' })), 'HOST_NIC', 'no bridge br7', 'br0');
      const ports = { node1: 'h1', node2: 'h7', router: 'h3' };
      await refused(hosts.inventory(three, bridge({ ports })), 'HOST_NIC', 'h7, named as the port of node2', 'h4');
    });

    it('with a changed host key', async () => {
      await hosts.changeHostKey('h2');
      try {
        await refused(hosts.inventory(three), 'HOST_KEY', /node2 .*another host key/, 'ssh-keygen', 'SHA256:');
      } finally {
        hosts.trustHosts();
      }
    });

    it('when it is to be left running, or is given what it has no use for', async () => {
      const file = hosts.inventory(three);
      for (const [words, ...argv] of [
        ['cannot be left running', 'lab', 'up', '--lab', 'inventory', '--inventory', file],
        ['cannot be left running', 'run', '--lab', 'inventory', '--inventory', file, '--keep', 'always', 'A1.1'],
        ['its hosts’ kernels', 'run', '--lab', 'inventory', '--inventory', file, '--kernel', '6.12', 'A1.1'],
        ['no hosts of an inventory', 'run', '--lab', 'sandbox', '--inventory', file, 'A1.1'],
        ['cannot be read', 'run', '--lab', 'inventory', '--inventory', 'no.yaml', 'A1.1'],
        ['inventory inventory.yaml cannot be read', 'doctor', '--lab', 'inventory'],
      ] as const) {
        const { stderr, status } = await macvlab(...argv);
        expect(status, stderr).to.equal(2);
        expect(stderr).to.include(words);
      }
    });
  });
});
