import { expect } from 'chai';
import { errorOf } from '../../core/error.test-support.js';
import { timeout } from '../../core/wait.js';
import { Lab } from '../../lab/lab.js';
import { sandboxDriver } from '../sandbox/sandbox.js';
import { skipWithoutRoot } from '../sandbox/sandbox.test-support.js';
import { knownAcceleration } from '../qemu/acceleration.js';
import { vmDriver } from './vm.js';
import { whyNoGuests } from './vm.test-support.js';

const why = whyNoGuests();

/** Measured before this process opens a lab: test files are loaded before the first test runs. */
const patienceAtFirst = timeout(100);

describe(`labs of different slowness, side by side (needs root)${why}`, function slowness() {
  this.timeout(120_000);
  const labs: Lab[] = [];

  before(async function needsGuests() {
    skipWithoutRoot(this);
    if (why) this.skip();
    for (const driver of [vmDriver({ guests: 1 }), sandboxDriver]) labs.push(await Lab.open(driver));
  });
  after(() => Promise.all(labs.map((lab) => lab.close())));

  it('a guest by TCG and a sandbox beside it: deadlines are four times as long in the guest alone', async () => {
    const factor = knownAcceleration()?.kind === 'kvm' ? 1 : 4;
    expect(timeout(100), 'of this process').to.equal(patienceAtFirst);
    const [inGuest, inSandbox] = await Promise.all(
      labs.map(({ node1 }) => errorOf(node1.stack.session.run(['sleep', '60'], { deadline: 100 }))),
    );
    expect(inSandbox?.message).to.include(`within ${patienceAtFirst} ms`);
    expect(inGuest?.message).to.include(`within ${factor * patienceAtFirst} ms`);
    expect(labs.map((lab) => lab.timeout(100))).to.deep.equal([factor * patienceAtFirst, patienceAtFirst]);
  });
});
