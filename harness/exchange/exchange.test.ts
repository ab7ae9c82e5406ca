import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { noteWaits } from '../core/wait.js';
import { arpRequest } from '../wire/pattern.js';
import type { Endpoint } from '../lab/endpoint.js';
import { Lab } from '../lab/lab.js';
import { sandboxDriver } from '../machine/sandbox/sandbox.js';
import { skipWithoutRoot } from '../machine/sandbox/sandbox.test-support.js';

describe('an exchange with somebody whom nobody reaches (needs root)', function () {
  this.timeout(30_000);
  let lab: Lab;
  /** A child that receives no frames, because no station has the one MAC address that it accepts. */
  let deaf: Endpoint;

  before(async function () {
    skipWithoutRoot(this);
    lab = await Lab.open(sandboxDriver);
    await lab.listening.start();
    await lab.configure({
      node1: { addresses: ['10.0.0.1/24'] },
      node2: { addresses: ['10.0.0.2/24'] },
      router: { addresses: ['10.0.0.254/24'] },
    });
    deaf = await lab.node2.endpoint('deaf', {
      mode: 'source',
      sources: ['02:00:00:00:00:99'],
      address: '10.0.0.22/24',
    });
  });
  after(() => lab?.close());

  const codeOf = async (work: Promise<unknown>) =>
    work.then(
      () => 'nothing',
      (error: unknown) => (error instanceof MacvlabError ? error.code : error),
    );

  it('is an error where no witness passes', async () => {
    expect(await codeOf(lab.ping(lab.node1, deaf))).to.equal('CONTROL_FAILED');
    expect(await codeOf(lab.ping(deaf, lab.node1))).to.equal('CONTROL_FAILED');
  });

  it('is settled by who stands in for the receiver, up to the port that both are behind', async () => {
    const exchange = await lab.ping(lab.node1, deaf, { substitutes: { to: lab.node2 } });
    expect(exchange.outcome).to.equal('lost');
    expect(exchange.dropPoint?.last?.label).to.equal('switch/node2 out');
    expect(exchange.dropPoint?.missing?.label).to.equal('node2/deaf/eth0');
  });

  it('is settled by who stands in for the sender', async () => {
    const exchange = await lab.ping(deaf, lab.node1, { substitutes: { from: lab.node2 } });
    expect(exchange.outcome).to.equal('lost');
    expect(exchange.reason).to.match(/^ARP reply last seen at switch\/node2 out/);
  });

  it('is answered all the same, when it is', async () => {
    const exchange = await lab.ping(lab.node1, lab.node2, { substitutes: { from: lab.node1, to: lab.node2 } });
    expect(exchange.outcome).to.equal('answered');
  });

  it('the ping is refused: nothing waits for its first frame any more', async () => {
    const machine = lab.machines.machine;
    await machine.run(['ip', '-n', 'node1', 'route', 'add', 'unreachable', '10.0.0.2/32']);
    const over: string[] = [];
    noteWaits(({ what }) => void over.push(what));
    try {
      expect((await lab.ping(lab.node1, lab.node2)).outcome).to.equal('refused');
      expect(over.filter((what) => what.startsWith('the first frame of a ping'))).to.have.lengthOf(1);
    } finally {
      noteWaits(undefined);
      await machine.run(['ip', '-n', 'node1', 'route', 'delete', 'unreachable', '10.0.0.2/32']);
    }
  });

  it('a frame is seen in one direction: nothing waits for it in the other any more', async () => {
    const exchange = await lab.ping(lab.node1, lab.node2);
    exchange.until = Number.POSITIVE_INFINITY;
    const over: string[] = [];
    noteWaits(({ what }) => void over.push(what));
    const seen = exchange.sees(lab.node2.wire, arpRequest({ who: '10.0.0.77' }));
    const asking = lab.node1.stack.run(['arping', '-c', '1', '-w', '1', '-I', 'eth1', '10.0.0.77'], 'probe');
    expect(await seen).to.equal(true);
    noteWaits(undefined);
    expect(over.filter((what) => what === 'a frame to be seen')).to.have.lengthOf(2);
    await asking;
  });

  it('a ping in vain is under way until it has ended', async () => {
    const ping = lab.pingExpectingNoReply(lab.node1, lab.node2);
    expect(lab.ledger.underWay).to.equal(1);
    await ping;
    expect(lab.ledger.underWay).to.equal(0);
  });

  it('takes no stand-in from behind another port', async () => {
    const work = lab.ping(lab.node1, deaf, { substitutes: { to: lab.router } });
    expect(await codeOf(work)).to.be.instanceOf(TypeError);
  });
});
