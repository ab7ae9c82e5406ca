import { deepEqual, throws } from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MacvlabError } from '../core/error.js';
import { cpioArchive } from './cpio.js';
import { refuseCutOff } from './whole.js';

describe('files of the cache that were cut off', () => {
  let folder: string;
  let initramfs: string;
  let root: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-whole-'));
    initramfs = join(folder, 'initramfs.cpio');
    root = join(folder, 'root.squashfs');
    writeFileSync(initramfs, cpioArchive([{ name: 'init', content: Buffer.alloc(3000), executable: true }]));
    const image = Buffer.alloc(4096);
    image.write('hsqs');
    image.writeBigUInt64LE(4000n, 40);
    writeFileSync(root, image);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('are told from whole ones', () => {
    deepEqual(refuseCutOff(initramfs, root), undefined);
  });

  it('are refused, with the folder to remove', () => {
    truncateSync(initramfs, 3000);
    throws(() => refuseCutOff(initramfs, root), isAbout(initramfs));
  });

  it('are refused when it is the root image, be nothing left of it', () => {
    truncateSync(root, 3999);
    throws(() => refuseCutOff(initramfs, root), isAbout(root));
    truncateSync(root, 0);
    throws(() => refuseCutOff(initramfs, root), isAbout(root));
    rmSync(root);
    throws(() => refuseCutOff(initramfs, root), isAbout(root));
  });

  const isAbout = (file: string) => (error: unknown) =>
    error instanceof MacvlabError &&
    error.code === 'CACHE_DAMAGED' &&
    error.message.includes(file) &&
    error.next.includes(folder);
});
