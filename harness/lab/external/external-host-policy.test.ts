import { expect } from 'chai';
import { errorOf } from '../../core/error.test-support.js';
import { Lab } from '../lab.js';
import { lacking } from '../../core/missing-prerequisite.test-support.js';
import { sandboxDriver } from '../../machine/sandbox/sandbox.js';
import { ExternalHostPolicy } from './external-host-policy.js';
import { needsRoot } from '../../setup/needs.test-support.js';

/** The external hosts are the nodes of a sandbox. */
describe('the safety policy of external hosts (needs root)', function policyOfHosts() {
  this.timeout(60_000);
  let lab: Lab;
  let policy: ExternalHostPolicy;

  before(async function () {
    needsRoot(this);
    lab = await Lab.open(sandboxDriver);
    await lab.node1.configure({
      addresses: ['10.7.0.1/24', 'fd07::1/64'],
      routes: [{ to: '10.9.0.0/16', via: '10.7.0.9' }],
    });
    await lab.router.configure({ addresses: ['10.0.0.254/24'] });
    const external = {
      own: ['node1', 'node2'],
      switch: { hairpin: {} },
      macRange: '02:6d:aa:bb',
      taken: [],
      sessions: {},
    } as const;
    policy = new ExternalHostPolicy(external, [lab.node1.wire, lab.node2.wire]);
    await policy.look();
  });
  after(() => lab?.close());

  it('refuses an address that somebody has, and says who', async () => {
    const error = await errorOf(policy.claim(['10.0.0.7/24', '10.0.0.254/24']));
    expect(error).to.include({ code: 'HOST_ADDRESSES' });
    expect(error.message).to.include(`${lab.router.mac} has 10.0.0.254`);
  });

  it('asks once, for what nobody has', async () => {
    const asked = () => lab.log.between(0).filter(({ argv }) => argv[0] === 'arping').length;
    await policy.claim(['10.0.0.8/24', 'fd00::8/64']);
    const before = asked();
    await policy.claim(['10.0.0.8/24']);
    expect(asked()).to.equal(before);
    await policy.claim(['10.0.0.8/24'], lab.router.wire);
    expect(asked(), 'on another wire').to.equal(before + 1);
  });

  it('uses no network that a host has a route to', async () => {
    for (const [address, words] of [
      ['10.7.0.200/24', /^needs 10\.7\.0\.0\/24, and node1 has a route to 10\.7\.0\.\S+ already/],
      ['10.9.8.7/24', /^needs 10\.9\.8\.0\/24, and node1 has a route to 10\.9\.0\.0\/16 already, by eth1$/],
      ['fd07::200/64', /^needs fd07::\/64, and node1/],
      ['10.0.0.1/8', /^needs 10\.0\.0\.0\/8, and node1/],
    ] as const)
      expect(await lacking(() => policy.claim([address]))).to.match(words);
  });

  it('gives MAC addresses of its range, none of them twice', () => {
    const macs = Array.from({ length: 300 }, () => policy.nextMac());
    expect(new Set(macs).size).to.equal(300);
    expect(macs[255]).to.equal('02:6d:aa:bb:01:00');
  });
});
