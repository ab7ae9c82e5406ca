import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { Exchange } from './exchange.js';
import { type Recording, RecordedNetwork, type StepName } from './recorded-network.test-support.js';

/** The conclusions of an exchange from captures, without a lab: needs no root. */
describe('an exchange from recorded captures', () => {
  let network: RecordedNetwork;
  beforeEach(async () => {
    network = new RecordedNetwork();
    await network.open();
  });
  afterEach(() => network.close());

  async function exchange(recording: Recording = {}): Promise<Exchange> {
    network.recordings.set('node1 node2', recording);
    return Exchange.run(network, network.node1, network.node2, {});
  }
  const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'nothing',
      (error: unknown) => error,
    );

  it('all frames arrive, and ping prints a reply: answered', async () => {
    const { outcome, reason, dropPoint, loss, listing } = await exchange().then((each) => ({
      ...{ outcome: each.outcome, reason: each.reason, dropPoint: each.dropPoint, loss: each.loss },
      listing: each.listing().map(({ at }) => at),
    }));
    expect({ outcome, reason, dropPoint, loss }).to.deep.equal({
      ...{ outcome: 'answered', reason: 'answered', dropPoint: undefined, loss: 0 },
    });
    const there = ['node1/eth1 out', 'switch/node1 in', 'switch/node2 out', 'node2/eth1 in'];
    const back = ['node2/eth1 out', 'switch/node2 in', 'switch/node1 out', 'node1/eth1 in'];
    expect(listing).to.deep.equal([...there, ...back, ...there, ...back]);
  });

  for (const [step, view, last] of [
    ['ARP request', 'switch/node1 in', 'node1/eth1 out'],
    ['ARP request', 'switch/node2 out', 'switch/node1 in'],
    ['ARP reply', 'switch/node2 in', 'node2/eth1 out'],
    ['ARP reply', 'node1/eth1 in', 'switch/node1 out'],
    ['echo request', 'node2/eth1 in', 'switch/node2 out'],
    ['echo reply', 'switch/node1 out', 'switch/node2 in'],
  ] satisfies [StepName, string, string][]) {
    it(`the ${step} is not captured at ${view}: lost behind ${last}`, async () => {
      const { outcome, reason, dropPoint } = await exchange({ lost: { step, view } });
      expect(outcome).to.equal('lost');
      expect([dropPoint?.step.name, dropPoint?.last?.label, dropPoint?.missing?.label]).to.deep.equal([
        step,
        last,
        view,
      ]);
      expect(reason).to.equal(`${step} last seen at ${last}, never at ${view}`);
    });
  }

  for (const [step, view, at, next] of [
    ['ARP reply', 'node2/eth1 out', 'node2/eth1 in', 'ARP request'],
    ['echo request', 'node1/eth1 out', 'node1/eth1 in', 'ARP reply'],
    ['echo reply', 'node2/eth1 out', 'node2/eth1 in', 'echo request'],
  ] satisfies [StepName, string, string, StepName][]) {
    it(`no ${step} is captured at all: lost, and nothing came back from ${at}`, async () => {
      const { outcome, reason, dropPoint } = await exchange({ lost: { step, view } });
      expect([outcome, dropPoint?.missing]).to.deep.equal(['lost', undefined]);
      expect(reason).to.equal(`${next} arrived at ${at}, and nothing came back from there`);
    });
  }

  it('the echo reply is captured at the sender, and ping prints none: lost within the sender', async () => {
    const { outcome, reason } = await exchange({ isWithheld: true });
    expect(outcome).to.equal('lost');
    expect(reason).to.equal('echo reply arrived at node1/eth1 in, and ping was not given it');
  });

  it('ping prints a reply from another address: astray', async () => {
    const { outcome, reason } = await exchange({ replyFrom: '10.0.0.77' });
    expect(outcome).to.equal('misdelivered');
    expect(reason).to.match(/^the reply was from 10\.0\.0\.77/);
  });

  it('ping cannot send: refused', async () => {
    const { outcome, reason } = await exchange({ refusal: 'connect: Network is unreachable' });
    expect(outcome).to.equal('refused');
    expect(reason).to.equal('node1 sent nothing: connect: Network is unreachable');
  });

  it('a witness is not answered either: an error, not a loss', async () => {
    network.recordings.set('router node2', { refusal: 'connect: Network is unreachable' });
    const error = await failureOf(exchange({ lost: { step: 'echo request', view: 'node2/eth1 in' } }));
    expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'CONTROL_FAILED' });
  });

  it('a capture has dropped frames: an error, not a loss', async () => {
    network.dropped.set('switch/node2 out', 3);
    const error = await failureOf(exchange({ lost: { step: 'echo request', view: 'switch/node2 out' } }));
    expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'CAPTURE_DROPPED' });
  });

  it('a view is final: witnesses from its owner have passed it, and count as no frames of the exchange', async () => {
    const answered = await exchange();
    const view = network.node2.wire.in;
    const before = answered.own(view).length;
    await answered.finish([view]);
    expect(answered.own(view)).to.have.lengthOf(before);
  });
});
