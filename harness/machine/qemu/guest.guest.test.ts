import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { Guest, type GuestOptions } from './guest.js';
import { type GuestImages, guestImages } from '../../image/images.js';
import { whyNoGuests } from '../vm/vm.test-support.js';

const why = whyNoGuests();

/** Each test uses a real QEMU under TCG, which every machine supports. */
describe(`a guest that does not come up${why}`, function guests() {
  this.timeout(120_000);
  let images: GuestImages;
  let folder: string;

  before(async function needsGuests() {
    if (why) this.skip();
    images = await guestImages({ guests: 1 });
  });
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-guest-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Starts a guest that must not boot; returns its error. */
  async function failure(options: Partial<GuestOptions>, deadline = 20_000): Promise<MacvlabError> {
    const { kernel, initramfs, root } = images;
    const plain = { name: 'node1', accelerator: 'tcg', processors: 1, memory: 256, ports: ['machine'] } as const;
    const guest = Guest.start({ ...plain, kernel, initramfs, root, ...options });
    try {
      await guest.boot(['true'], deadline);
    } catch (error) {
      if (error instanceof MacvlabError) return error;
      throw error;
    } finally {
      const { pid } = guest;
      await guest.close();
      await guest.close();
      expect(pid === 0 || !existsSync(`/proc/${pid}`), 'QEMU is gone').to.equal(true);
    }
    throw new Error('it has booted');
  }

  it('because there is no such kernel: QEMU’s own words', async () => {
    const { code, message, evidence } = await failure({ kernel: join(folder, 'none') });
    expect(code).to.equal('GUEST_START');
    expect(message).to.match(
      /^node1 did not boot: it got as far as the firmware; node1 is gone: QEMU ended with status 1$/,
    );
    expect(evidence).to.include(`could not open kernel file '${join(folder, 'none')}'`);
  });

  it('because its initramfs is none: the kernel’s panic', async () => {
    const broken = join(folder, 'initramfs');
    writeFileSync(broken, 'no archive'.repeat(1000));
    const { code, message, evidence, next } = await failure({ initramfs: broken });
    expect(code).to.equal('GUEST_START');
    expect(message).to.match(
      /^node1 did not boot: it got as far as its kernel; node1 is gone: Kernel panic - not syncing/,
    );
    expect(evidence).to.include('Kernel panic');
    expect(next).to.include('doctor');
  });

  it('because its root image is none: the phase, and what init says', async () => {
    const broken = join(folder, 'root');
    writeFileSync(broken, Buffer.alloc(65_536, 'x'));
    const { code, message, evidence } = await failure({ root: broken });
    expect(code).to.equal('GUEST_START');
    expect(message).to.match(/^node1 did not boot: it got as far as modules; node1 is gone: QEMU ended with status 0$/);
    expect(evidence).to.include('macvlab: FAILED to mount the root image');
  });

  it('in time: how far it has come, and it is not waited for any longer', async () => {
    const { code, message } = await failure({}, 1);
    expect(code).to.equal('GUEST_START');
    expect(message).to.match(/^node1 did not boot: it got as far as .*, and no further in time$/);
  });

  it('or that came up, and whose QEMU somebody ends: that it is gone, and by what', async () => {
    const { kernel, initramfs, root } = images;
    const plain = { name: 'node1', accelerator: 'tcg', processors: 1, memory: 256, ports: ['machine'] } as const;
    const guest = Guest.start({ ...plain, kernel, initramfs, root });
    try {
      await guest.boot(['true'], 60_000);
      expect(guest.death.aborted).to.equal(false);
      process.kill(guest.pid, 'SIGKILL');
      await once(guest.death, 'abort');
      const error: unknown = guest.death.reason;
      expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'GUEST_DIED', exit: 3 });
      expect((error as MacvlabError).message).to.equal('node1 is gone: QEMU ended with SIGKILL');
      expect((error as MacvlabError).next).to.include('did somebody end it');
    } finally {
      await guest.close();
    }
  });
});
