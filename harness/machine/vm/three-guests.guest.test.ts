import { expect } from 'chai';
import { whyNot } from '../../lab/feature/features.js';
import { Lab } from '../../lab/lab.js';
import { vmDriver } from './vm.js';
import { whyNoGuests } from './vm.test-support.js';

const why = whyNoGuests();

describe(`a lab in three guests${why}`, function threeGuests() {
  this.timeout(300_000);
  let lab: Lab | undefined;

  before(async function needsGuests() {
    if (why) this.skip();
    lab = await Lab.open(vmDriver({ guests: 3 }));
  });
  after(() => lab?.close());

  it('its NICs filter unicast frames: A1.5 is performed without promiscuous mode', async () => {
    if (!lab) throw new TypeError('no lab was opened');
    expect(await whyNot(lab, 'unicast filter')).to.equal(undefined);
    expect(await lab.node1.link()).to.include({ promiscuity: 0 });
  });
});
