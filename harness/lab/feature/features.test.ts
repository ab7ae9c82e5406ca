import { expect } from 'chai';
import { setUp } from '../../link/device.js';
import { featuresOfLinks, whyNot } from './features.js';
import { Lab } from '../lab.js';
import { sandboxDriver } from '../../machine/sandbox/sandbox.js';
import { skipWithoutRoot } from '../../machine/sandbox/sandbox.test-support.js';

describe('features of a lab (needs root)', function features() {
  this.timeout(60_000);
  let lab: Lab;

  before(async function needsRoot() {
    skipWithoutRoot(this);
    lab = await Lab.open(sandboxDriver);
  });
  after(() => lab?.close());

  it('unicast filter, parent is a veth: missing, with the promiscuity that shows it; undone', async () => {
    expect(await whyNot(lab, 'unicast filter')).to.match(
      /^needs a parent that filters unicast frames \(IFF_UNICAST_FLT\): with a child that is up, eth1 of node1 has promiscuity 1;/,
    );
    expect(await lab.node1.link()).to.include({ promiscuity: 0 });
    expect((await lab.node1.links()).map(({ ifname }) => ifname)).not.to.include('try');
  });

  it('unicast filter: no other lab is tried for it', () => {
    expect([...featuresOfLinks]).to.deep.equal(['unicast filter']);
  });

  it('nodst and Linux bridge: there; undone', async () => {
    const [nodst, bridge] = [await whyNot(lab, 'macvlan nodst'), await whyNot(lab, 'linux bridge')];
    expect([nodst, bridge]).to.deep.equal([undefined, undefined]);
    await lab.scopes.within('a child of that name', async () => {
      await lab.node1.macvlan({ name: 'try', mode: 'bridge' });
      await lab.node1.apply(setUp(lab.node1.stack, 'try', true));
    });
  });
});
