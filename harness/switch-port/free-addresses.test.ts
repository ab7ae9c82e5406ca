import { expect } from 'chai';
import { Lab } from '../lab/lab.js';
import { sandboxDriver } from '../machine/sandbox/sandbox.js';
import { skipWithoutRoot } from '../machine/sandbox/sandbox.test-support.js';
import { freeAddresses } from './free-addresses.js';
import type { Base } from './segment.js';

describe('addresses that nobody has (needs root)', function probing() {
  this.timeout(60_000);
  let lab: Lab;
  let base: Base;

  before(async function needsRoot() {
    skipWithoutRoot(this);
    lab = await Lab.open(sandboxDriver);
    await lab.configure({ router: { addresses: ['10.0.0.254/24'] } });
    const { stack, device } = lab.node1;
    base = { stack, device, home: stack };
  });
  after(() => lab?.close());

  it('nobody answers: free, after the three probes of RFC 5227', async () => {
    expect(await freeAddresses(base, ['10.0.0.7'], 1, 'a range', [])).to.deep.equal({
      addresses: ['10.0.0.7'],
      asked: 3,
    });
  });

  it('somebody answers: left out, with the MAC address that has it', async () => {
    const { addresses } = await freeAddresses(base, ['10.0.0.254', '10.0.0.8'], 1, 'a range', []);
    expect(addresses).to.deep.equal(['10.0.0.8']);
    const error: unknown = await freeAddresses(base, ['10.0.0.254'], 1, 'a range', []).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.include({ code: 'HOST_ADDRESSES', evidence: `10.0.0.254 is at ${lab.router.mac}` });
  });
});
