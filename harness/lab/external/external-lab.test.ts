import { expect } from 'chai';
import { errorOf } from '../../core/error.test-support.js';
import { readBridgePorts } from '../../link/bridge-port.js';
import { readLink } from '../../link/link-info.js';
import { echoReply, echoRequest } from '../../wire/pattern.js';
import type { LabDriver } from '../../machine/driver.js';
import type { ExternalEnvironment } from '../../machine/external-environment.js';
import { whyNot } from '../feature/features.js';
import { Lab } from '../lab.js';
import { lacking } from '../../core/missing-prerequisite.test-support.js';
import { subInterfaceOf } from '../node.js';
import { dryRunOf } from '../../machine/dry-run.js';
import { sandboxDriver } from '../../machine/sandbox/sandbox.js';
import { Tap } from '../feature/tap.js';
import { type NodeName, topology, variantOf } from '../../machine/topology.js';
import { needsRoot } from '../../setup/needs.test-support.js';

/** A sandbox that looks like a lab on external hosts and an external switch. It reports what is missing; the rest works. */
describe('a lab on somebody else’s wire (needs root)', function othersWire() {
  this.timeout(60_000);
  const labs: Lab[] = [];

  before(function () {
    needsRoot(this);
  });
  afterEach(async () => {
    for (const lab of labs.splice(0)) await lab.close();
  });

  interface Place extends Partial<Omit<ExternalEnvironment, 'macRange'>> {
    nodes?: readonly NodeName[];
    /** Used instead of a sandbox. */
    driver?: LabDriver;
  }

  async function open({ nodes = topology.nodes, driver = sandboxDriver, ...external }: Place): Promise<Lab> {
    const uplinks = { node1: 'enp1s0f0np0', node2: 'lan2' };
    const network = variantOf(topology, (name) => nodes.includes(name), uplinks);
    const dryRun = {
      network,
      uplinks,
      external: { own: ['node1', 'node2'], switch: { hairpin: {} }, ...external } as const,
    };
    const lab = await Lab.open(dryRunOf(driver, dryRun));
    labs.push(lab);
    await lab.listening.start();
    return lab;
  }

  const plan = {
    node1: { addresses: ['10.0.0.1/24'], routes: [{ to: 'default', via: '10.0.0.254' }] },
    node2: { addresses: ['10.0.0.2/24'] },
    router: { addresses: ['10.0.0.254/24'] },
  };

  it('uses the hosts’ names of their cards, for VLANs in as many bytes as a name has', async () => {
    const lab = await open({});
    await lab.configure(plan);
    expect((await lab.node1.link()).ifname).to.equal('enp1s0f0np0');
    expect(subInterfaceOf('lan2', 10)).to.equal('lan2.10');
    expect(subInterfaceOf('enp1s0f0np0', 4094)).to.equal('np1s0f0np0.4094');
    expect(lab.node1.wire.label).to.equal('node1/enp1s0f0np0');
    expect((await lab.ping(lab.node1, lab.node2)).outcome).to.equal('answered');
    expect(await lacking(() => lab.switch.stack)).to.match(/^needs to look into the switch/);
  });

  it('tells a port from the far end of its cable', async () => {
    const lab = await open({ switch: { hairpin: { node1: false } } });
    await lab.configure(plan);
    const ns1 = await lab.node1.endpoint('ns1', { mode: 'bridge', address: '10.0.0.11/24' });
    const { in: arriving, out: leaving } = lab.switch.port('node1');
    expect(arriving.label).to.equal('switch/node1 in, from node1/enp1s0f0np0 out');
    const ping = await lab.ping(ns1, lab.node2);
    expect(await ping.sees(arriving, echoRequest({ token: ping.token }))).to.equal(true);
    expect(await ping.sees(leaving, echoReply({ token: ping.token }))).to.equal(true);
    const lost = await lab.ping(ns1, lab.node1);
    expect([lost.outcome, lost.dropPoint?.last?.label, lost.dropPoint?.missing?.label]).to.deep.equal([
      'lost',
      arriving.label,
      leaving.label,
    ]);
    const captured = lab.listening.points.map(({ label }) => label);
    expect(captured, 'no capture twice').to.have.lengthOf(new Set(captured).size);
  });

  it('lacks a router and who is behind it where there is no third host, and performs without them', async () => {
    const lab = await open({ nodes: ['node1', 'node2', 'switch'], switch: { hairpin: { node1: false } } });
    await lab.configure(plan);
    expect(await lacking(() => lab.router)).to.match(/^needs a router, .* no third machine$/);
    expect(await lacking(() => lab.client)).to.match(/^needs a client behind a router/);
    expect((await lab.ping(lab.node1, lab.node2)).outcome).to.equal('answered');
    const ns1 = await lab.node1.endpoint('ns1', { mode: 'bridge', address: '10.0.0.11/24' });
    expect((await lab.ping(ns1, lab.node1)).outcome, 'with node2 as a witness').to.equal('lost');
  });

  it('takes no loss between two hosts for proved when nobody is there to witness it', async () => {
    const lab = await open({ nodes: ['node1', 'node2', 'switch'] });
    await lab.configure(plan);
    await lab.machines.nodes.node2.run(['ip', 'address', 'flush', 'dev', 'lan2']);
    const error = await errorOf(lab.ping(lab.node1, lab.node2));
    expect(error).to.include({ code: 'CONTROL_FAILED' });
    expect(error.message).to.match(/no answer, and nobody to witness/);
  });

  it('refuses what depends on whether the switch reflects, where that is not known, or not as it should be', async () => {
    for (const [hairpin, words] of [
      [{}, /^whether the switch reflects at the port of node1 is not known/],
      [{ node1: true }, /^needs the switch’s port of node1 not to reflect: .* names no switch driver$/],
    ] as const) {
      const lab = await open({ switch: { hairpin } });
      await lab.configure(plan);
      const [ns1, ns2, ns3] = await Promise.all([
        lab.node1.endpoint('ns1', { mode: 'bridge', address: '10.0.0.11/24' }),
        lab.node1.endpoint('ns2', { mode: 'bridge', address: '10.0.0.12/24' }),
        lab.node1.endpoint('ns3', { mode: 'vepa', address: '10.0.0.13/24' }),
      ]);
      expect(await lacking(() => lab.ping(ns1, lab.node1))).to.match(words);
      expect(await lacking(() => lab.ping(ns3, ns1))).to.match(words);
      expect((await lab.ping(ns1, ns2)).outcome, 'which stays inside').to.equal('answered');
      expect((await lab.ping(ns3, lab.router)).outcome, 'which never comes back').to.equal('answered');
    }
  });

  it('is content with what the switch is already, and lacks what it would have to be set to', async () => {
    const lab = await open({ switch: { hairpin: { node1: true, node2: false }, vlans: [20, 10], native: 1 } });
    const { switch: sw } = lab;
    await sw.hairpin('node1', true);
    expect(await lacking(() => sw.hairpin('node1', false))).to.match(/node1 not to reflect: .* no switch driver/);
    expect(await lacking(() => sw.hairpin('node2', true))).to.match(/node2 to reflect/);
    expect(await lacking(() => sw.hairpin('router', false))).to.match(/port of router is not known/);
    expect(await lacking(() => sw.set('node1', 'learning', false))).to.match(/^needs to set learning/);
    expect(await whyNot(lab, 'bridge vlan filtering')).to.equal(undefined);
    await sw.trunk('node1', { native: 1, allowed: [10, 20] });
    expect(await lacking(() => sw.trunk('node2', { native: 1, allowed: [20] }))).to.match(
      /port of node2 to carry VLANs 20, untagged 1; the inventory says VLANs 10, 20, untagged 1/,
    );
    expect(await lacking(() => sw.access('node2', 10))).to.match(/no tagged VLAN, untagged 10/);
    expect(await whyNot(lab, 'unicast filter')).to.match(/^cannot be tried in a dry run/);
    expect(await whyNot(lab, 'linux bridge')).to.match(/^needs a Linux bridge as the switch/);
    const silent = await open({ switch: { hairpin: {} } });
    expect(await whyNot(silent, 'bridge vlan filtering')).to.match(/does not say which VLANs/);
  });

  it('knows that a port was set to reflect only for as long as it was', async () => {
    const lab = await open({ switch: { hairpin: { node1: true } } });
    await lab.scopes.within('a suite', async () => {
      await lab.switch.hairpin('node1', true);
      lab.switch.requireKnownReflection('node1');
    });
    expect(await lacking(() => lab.switch.requireKnownReflection('node1'))).to.match(/not to reflect/);
  });

  it('calls no command of the owner’s in a dry run, where a bridge of ours is set instead', async () => {
    const lab = await open({ switch: { hairpin: { node1: false }, driver: { command: ['/nonexistent/hook'] } } });
    await lab.configure(plan);
    await lab.switch.hairpin('node1', true);
    const ns1 = await lab.node1.endpoint('ns1', { mode: 'vepa', address: '10.0.0.11/24' });
    expect((await lab.ping(ns1, lab.node1)).outcome, 'by way of the switch').to.equal('answered');
    const [entry] = lab.log.between(0).filter(({ kind }) => kind === 'hook');
    expect(entry?.argv).to.deep.equal(['/nonexistent/hook', 'hairpin', 'node1', 'on']);
  });

  it('sets somebody’s bridge as it is asked to, as it was before behind it, and nothing that would cut off others', async () => {
    const ports = { node1: 'swp1', node2: 'swp2', router: 'swp3' };
    let admin: Lab['machines']['nodes']['node1'] | undefined;
    const driver: LabDriver = {
      ...sandboxDriver,
      open: async (network, wire) => {
        const machines = await sandboxDriver.open(network, wire);
        admin = machines.nodes.switch;
        await admin?.run(['bridge', 'link', 'set', 'dev', 'swp1', 'hairpin', 'on']);
        return machines;
      },
    };
    const lab = await open({ driver, switch: { hairpin: {}, driver: { bridge: { device: 'office', ports } } } });
    const hairpinOf = async () =>
      (await readBridgePorts(lab.switch.stack)).map(({ ifname, hairpin }) => `${ifname} ${String(hairpin)}`);
    expect((await readLink(lab.switch.stack, 'office')).linkinfo?.info_kind).to.equal('bridge');
    expect(lab.switch.port('node1').in.label).to.equal('switch/swp1 in');
    expect(await hairpinOf(), 'what suites take for granted').to.have.members([
      'swp1 false',
      'swp2 false',
      'swp3 false',
    ]);
    await lab.scopes.within('a suite', async () => {
      await lab.switch.hairpin('node2', true);
      expect(await hairpinOf()).to.include('swp2 true');
    });
    await admin?.run(['ip', 'address', 'add', '192.0.2.1/24', 'dev', 'office']);
    expect(await lacking(() => lab.switch.filterVlans())).to.match(
      /cut off who is there besides: its own address 192\.0\.2\.1/,
    );
    await lab.scopes.close();
    expect(await hairpinOf(), 'as the owner had it').to.have.members(['swp1 true', 'swp2 false', 'swp3 false']);
  });

  it('gives what it makes MAC addresses of its range, each once, unless the kernel is to choose', async () => {
    const lab = await open({});
    const macs = [];
    for (const name of ['ns1', 'ns2']) {
      const endpoint = await lab.node1.endpoint(name, { mode: 'bridge', address: '10.0.0.9/24' });
      macs.push(endpoint.mac);
    }
    expect(macs).to.deep.equal(['02:6d:00:00:00:01', '02:6d:00:00:00:02']);
    const chosen = await lab.node2.macvlan({ name: 'mac1' });
    expect(chosen.address).not.to.match(/^02:6d:00:00/);
    const child = await lab.node2.endpoint('ns3', { mode: 'passthru', address: '10.0.0.9/24' }).catch(() => undefined);
    expect(child?.mac ?? lab.node2.mac).to.equal(lab.node2.mac);
  });

  it('takes no frames from a card by which its host is reached, and no VLAN from a bridge on that way', async () => {
    const sessions = { node1: 'enp1s0f0np0 carries the SSH connection' };
    const bridge = { device: 'office', ports: { node1: 'swp1', node2: 'swp2', router: 'swp3' } };
    const lab = await open({ sessions, switch: { hairpin: {}, driver: { bridge } } });
    const words = 'a passthru child gets all frames of its parent, and enp1s0f0np0 carries the SSH connection';
    expect(await whyNot(lab, 'macvlan mode passthru')).to.equal(words);
    const ns1 = await lab.node1.namespace('ns1');
    expect(await lacking(() => ns1.attach({ mode: 'passthru', address: '10.0.0.9/24' }))).to.equal(words);
    expect(await lacking(() => lab.node1.macvlan({ name: 'mac1', mode: 'passthru' }))).to.equal(words);
    expect((await lab.node1.links()).map(({ ifname }) => ifname)).to.not.include.members(['mac1', 'try']);
    expect(await lacking(() => lab.switch.filterVlans())).to.match(/office to tell VLANs apart, and enp1s0f0np0/);
  });

  it('uses only addresses that it is allowed, and none that a host needs itself', async () => {
    const lab = await open({
      addresses: ['10.0.0.0/28'],
      taken: [{ network: '10.0.0.9/32', by: 'node1 is reached from there' }],
    });
    await lab.node1.configure({ addresses: ['10.1.0.1/24'] });
    const added = lab.log.between(0).find(({ argv }) => argv.includes('10.1.0.1/24'));
    expect(added?.sent?.argv).to.include('10.0.0.1/29');
    expect(lab.node1.addresses).to.deep.equal(['10.1.0.1/24']);
    if ((await whyNot(lab, 'macvtap')) === undefined) {
      const tap = await Tap.make(lab.node1, 'tap0');
      expect(await lacking(() => tap.open())).to.match(/^writes whole frames, which need 10\.1\.0\.0\/24 itself/);
    }
    const endpoint = lab.node1.endpoint('ns1', { mode: 'bridge', address: ['10.1.0.9/24', 'fd00::9/64'] });
    expect(await lacking(() => endpoint)).to.match(/needs a \/64 for fd00::\/64/);
    expect(await lacking(() => lab.configure({ node2: { addresses: ['10.0.7.1/24'] } }))).to.match(
      /needs a \/29 for 10\.0\.7\.0\/24: .* \(10\.1\.0\.0\/24 is in 10\.0\.0\.0\/29; node1 is reached from there\)/,
    );
  });

  it('leaves a host’s default route alone', async () => {
    const own = { addresses: ['192.168.0.11/16'], routes: [{ to: 'default', via: '192.168.0.1' }] };
    for (const addresses of [undefined, ['10.88.0.0/28']]) {
      const lab = await open({ ...(addresses && { addresses }) });
      await lab.configure({ node1: own, router: { addresses: ['192.168.0.1/16'] } });
      const { stdout } = await lab.node1.stack.run(['ip', 'route', 'show'], 'reading');
      expect(stdout).to.match(/^172\.31\.0\.0\/16 via 192\.168\.0\.1/m);
      expect(stdout).not.to.match(/^default/m);
      await lab.node1.configure({ addresses: ['172.31.0.101/16'] });
      const near = await lab.node1.stack.run(['ip', 'route', 'get', '172.31.0.12'], 'reading');
      expect(near.stdout, 'behind a network of its own, as a default route is').to.match(/^172\.31\.0\.12 dev /);
      const ns1 = await lab.node1.endpoint('ns1', { mode: 'bridge', address: '192.168.0.12/16', routes: own.routes });
      const inside = await ns1.stack.run(['ip', 'route', 'show'], 'reading');
      expect(inside.stdout).to.match(/^default via 192\.168\.0\.1/m);
    }
  });
});
