import { expect } from 'chai';
import type { MacvlabError } from '../../core/error.js';
import { poll } from '../../core/wait.js';
import { anyFrame, arpReply } from '../../wire/pattern.js';
import { arp, ethernet } from '../../wire/protocol/encode.js';
import { whyNot } from './features.js';
import { Lab } from '../lab.js';
import { sandboxDriver } from '../../machine/sandbox/sandbox.js';
import { skipWithoutRoot } from '../../machine/sandbox/sandbox.test-support.js';
import { Tap } from './tap.js';
import { skip } from '../../setup/needs.test-support.js';

describe('a macvtap (needs root)', function () {
  this.timeout(30_000);
  let lab: Lab;

  before(async function () {
    skipWithoutRoot(this);
    lab = await Lab.open(sandboxDriver);
    await lab.listening.start();
    await lab.configure({ node2: { addresses: ['10.0.0.2/24'] } });
    const missing = await whyNot(lab, 'macvtap');
    if (missing) {
      await lab.close();
      skip(this, missing);
    }
  });
  after(() => lab?.close());

  const readers = async () => {
    const { stdout } = await lab.machines.machine.run(['sh', '-c', 'cat /proc/[0-9]*/comm']);
    return stdout.split('\n').filter((name) => name === 'dd').length;
  };

  it('sends and receives frames of any length through its character device', async () => {
    await lab.scopes.within('test', async () => {
      const tap = await Tap.make(lab.node1, 'tap-a');
      await tap.open();
      const question = arp(1, [tap.mac, '10.0.0.50'], ['00:00:00:00:00:00', '10.0.0.2']);
      tap.send(ethernet({ source: tap.mac, destination: 'ff:ff:ff:ff:ff:ff', type: 0x0806 }, question));
      const answer = await tap.receive(arpReply({ from: '10.0.0.2', to: tap.mac }));
      expect(answer?.arp?.senderMac).to.equal(lab.node2.mac);

      const other = await Tap.make(lab.node1, 'tap-b');
      await other.open();
      for (const length of [46, 1000, 1500]) {
        const long = ethernet({ source: tap.mac, destination: other.mac, type: 0x88b5 }, new Uint8Array(length));
        tap.send(long);
      }
      await tap.receive(arpReply({ from: '10.0.0.2' }));
      const last = await other.receive({ ...anyFrame(), matches: ({ length }) => length === 1514 });
      expect(last?.ethernet).to.include({ source: tap.mac, destination: other.mac, type: 0x88b5 });
      const own = other.received.filter(({ ethernet: header }) => header?.source === tap.mac);
      expect(own.map(({ length }) => length)).to.deep.equal([60, 1014, 1514]);
    });
  });

  it('has the character device that the kernel has made for it, and takes it with it', async () => {
    let path = '';
    await lab.scopes.within('test', async () => {
      const tap = await Tap.make(lab.node1, 'tap-a');
      path = tap.path;
      const { exists, number, ofLink } = await tap.deviceNode();
      expect(exists).to.equal(true);
      expect(number).to.equal(ofLink);
    });
    const { status } = await lab.machines.machine.run(['test', '-e', path]);
    expect(status, path).to.equal(1);
  });

  it('does not wait for ever for what never comes', async () => {
    await lab.scopes.within('test', async () => {
      const tap = await Tap.make(lab.node1, 'tap-a');
      await tap.open();
      expect(await tap.receive(arpReply({ from: '10.0.0.99' }), 200)).to.equal(undefined);
    });
  });

  it('leaves no reader behind', async () => {
    await lab.scopes.within('test', async () => {
      const tap = await Tap.make(lab.node1, 'tap-a');
      await tap.open();
      const began = async () => (await readers()) === 1 || undefined;
      await poll(began, { what: 'the reader to begin', deadline: 5000 });
    });
    expect(await readers()).to.equal(0);
  });

  it('that is not there cannot be opened', async () => {
    const work = lab.scopes.within('test', async () => {
      const tap = await Tap.make(lab.node1, 'tap-a');
      await lab.node1.stack.run(['ip', 'link', 'delete', 'dev', 'tap-a'], 'change');
      await tap.open();
    });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(String(error)).to.match(/tap\d+ on node1 could not be opened/);
    expect((error as MacvlabError).evidence).to.match(/is no character device/);
  });
});
