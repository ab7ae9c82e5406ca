import { expect } from 'chai';
import { measuredClocks } from './clocks.js';
import type { AllSessions } from './driver.js';
import { skipWithoutRoot, TestSandbox } from './sandbox/sandbox.test-support.js';

describe('the clocks of a lab (needs root)', function clocks() {
  this.timeout(20_000);
  const now = Date.now.bind(Date);
  let sandbox: TestSandbox;

  before(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open();
  });
  afterEach(() => {
    Date.now = now;
  });
  after(() => sandbox?.close());

  it('are measured again after the time of this machine was set, and not before', async () => {
    const { machine } = sandbox;
    const { setClocks } = await measuredClocks([{ session: machine, nodes: [], cards: [] }], {} as AllSessions);
    const first = machine.clock;
    expect(Math.abs(first.ahead)).to.be.at.most(first.error + 1000);
    await setClocks();
    expect(machine.clock).to.equal(first);
    Date.now = () => now() + 500;
    await setClocks();
    expect(machine.clock.ahead).to.be.closeTo(-500_000, machine.clock.error + 1000);
  });

  it('that nothing sets: follow the time of this machine, and stay the same while it is left alone', async () => {
    const { machine } = sandbox;
    await measuredClocks([{ session: machine, nodes: [], cards: [] }], {} as AllSessions, true);
    const first = machine.clock.ahead;
    for (let reading = 0; reading < 1000; reading++) expect(machine.clock.ahead).to.equal(first);
    Date.now = () => now() + 40;
    expect(machine.clock.ahead).to.be.closeTo(-40_000, machine.clock.error + 1000);
  });

  it('that others may set: stay as measured', async () => {
    const { machine } = sandbox;
    await measuredClocks([{ session: machine, nodes: [], cards: [] }], {} as AllSessions);
    const first = machine.clock.ahead;
    Date.now = () => now() + 40;
    expect(machine.clock.ahead).to.equal(first);
  });
});
