import { expect } from 'chai';
import { whyNoGuests } from '../machine/vm/vm.test-support.js';
import { Lab } from '../lab/lab.js';
import { vmDriver } from '../machine/vm/vm.js';
import { parseRange } from './address-range.js';
import { type Validation, validatePort } from './validate.js';

const why = whyNoGuests();

/** The kernel that runs the sandbox may not support VLANs; a guest's does. */
describe(`VLANs of a switch port, in a guest${why}`, function trunk() {
  this.timeout(600_000);
  let lab: Lab;

  before(async function needsGuests() {
    if (why) this.skip();
    lab = await Lab.open(vmDriver({ guests: 1 }));
    await lab.switch.filterVlans();
    await lab.switch.trunk('router', { native: 1, allowed: [1, 10, 20] });
    await lab.switch.trunk('node2', { native: 1, allowed: [1, 10, 20] });
    await lab.switch.trunk('node1', { native: 1, allowed: [1, 10] });
    await lab.router.configure({ addresses: ['10.0.0.254/24'] });
    for (const [index, vlan] of [10, 20].entries()) {
      await lab.router.configure({ addresses: [`10.0.${index + 1}.254/24`], device: await lab.router.vlan(vlan) });
    }
  });
  after(() => lab?.close());

  async function validate(vlans: (number | 'untagged')[], withPeer = false): Promise<Validation> {
    const networks = new Map<number | 'untagged', string>([
      ['untagged', '10.0.0'],
      [10, '10.0.1'],
      [20, '10.0.2'],
    ]);
    return validatePort({
      host: { stack: lab.node1.stack, nic: lab.node1.device },
      ...(withPeer && { peer: { stack: lab.node2.stack, nic: lab.node2.device } }),
      forwardDelay: { usual: 0, longest: 0 },
      segments: vlans.map((vlan) => {
        const network = networks.get(vlan) ?? '';
        return { vlan, range: parseRange(`${network}.0/24`), ...(!withPeer && { gateway: `${network}.254` }) };
      }),
    });
  }

  it('are told one by one: plain', async () => {
    const { words, exit, segments } = await validate(['untagged', 10]);
    expect([words, exit], JSON.stringify(segments, null, 1)).to.deep.equal(['does not reflect', 1]);
  });

  it('are told one by one: a trunk that reflects, with a VLAN that is pruned', async () => {
    await lab.switch.hairpin('node1', true);
    const { words, exit, segments, pcaps } = await validate(['untagged', 10, 20]);
    const all = JSON.stringify(segments, null, 1);
    expect(
      segments.map(({ kind, cause }) => [kind, cause]),
      all,
    ).to.deep.equal([
      ['reflects', undefined],
      ['reflects', undefined],
      ['cannot tell', 'VLAN not allowed'],
    ]);
    expect(words, all).to.match(/^reflects only untagged and in VLAN 10 \(VLAN 20: cannot tell: VLAN 20 does not pass/);
    expect(exit).to.equal(1);
    expect(pcaps.get(10)?.size).to.be.above(2);
    expect(segments[1]?.observation.classes.map(({ changes }) => changes.length)).to.deep.equal([0, 0, 0, 0, 0]);
  });

  it('are told one by one: an allowed VLAN with a peer in it', async () => {
    const { words, exit, segments } = await validate([10], true);
    expect([words, exit], JSON.stringify(segments, null, 1)).to.deep.equal(['reflects', 0]);
  });
});
