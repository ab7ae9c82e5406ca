import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import type { Endpoint } from './endpoint.js';
import { Lab } from './lab.js';
import { sandboxDriver } from './sandbox/sandbox.js';
import { skipWithoutRoot } from './sandbox/sandbox.test-support.js';

describe('an exchange with somebody whom nobody reaches (needs root)', function () {
  this.timeout(30_000);
  let lab: Lab;
  /** A child that is given nothing, since nobody has the one MAC address whose frames it takes. */
  let deaf: Endpoint;

  before(async function () {
    skipWithoutRoot(this);
    lab = await Lab.open(sandboxDriver);
    await lab.listen();
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
    const exchange = await lab.ping(lab.node1, deaf, { standIn: { to: lab.node2 } });
    expect(exchange.outcome).to.equal('lost');
    expect(exchange.breakPoint?.last?.label).to.equal('switch/node2 out');
    expect(exchange.breakPoint?.missing?.label).to.equal('node2/deaf/eth0');
  });

  it('is settled by who stands in for the sender', async () => {
    const exchange = await lab.ping(deaf, lab.node1, { standIn: { from: lab.node2 } });
    expect(exchange.outcome).to.equal('lost');
    expect(exchange.reason).to.match(/^ARP reply last seen at switch\/node2 out/);
  });

  it('is answered all the same, when it is', async () => {
    const exchange = await lab.ping(lab.node1, lab.node2, { standIn: { from: lab.node1, to: lab.node2 } });
    expect(exchange.outcome).to.equal('answered');
  });

  it('takes no stand-in from behind another port', async () => {
    const work = lab.ping(lab.node1, deaf, { standIn: { to: lab.router } });
    expect(await codeOf(work)).to.be.instanceOf(TypeError);
  });
});
