import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { guestInit } from './guest-init.js';

describe('the first process of a guest', () => {
  const script = guestInit('6.12.117+deb13-cloud-amd64', ['virtio.ko', 'virtio_pci.ko']);

  it('is a script that a shell can read', () => {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
    expect([status, stderr]).to.deep.equal([0, '']);
  });

  it('loads the modules in the order that was given', () => {
    expect(script).to.include('\nfor module in virtio.ko virtio_pci.ko; do\n');
    const nothing = spawnSync('sh', ['-n'], { input: guestInit('6.12', []) });
    expect(nothing.status).to.equal(0);
  });

  it('takes the release as one word, whatever is in it', () => {
    expect(guestInit("6.12 'mine'", [])).to.include(`cd '/lib/modules/6.12 '\\''mine'\\'''`);
  });

  it('names its phases in the order in which they are reached', () => {
    const phases = [...script.matchAll(/^phase (\w+)$/gm)].map(([, phase]) => phase);
    expect(phases).to.deep.equal(['initramfs', 'modules', 'root', 'control']);
  });

  it('checks every mount: none goes on half-made', () => {
    const unchecked = script
      .split('\n')
      .filter((line) => /busybox (mount|insmod) /.test(line) && !/\|\| fail '|\|\| fail "/.test(line));
    expect(unchecked).to.deep.equal([]);
  });
});
