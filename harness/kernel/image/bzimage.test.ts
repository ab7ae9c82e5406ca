import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { runProgram } from '../../core/program.js';
import { readBzImage } from './bzimage.js';
import { aBzImage, errorOf, put } from '../own/own-kernel.test-support.js';

describe('a kernel image', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-image-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (contents: Buffer | string): string => put(join(folder, 'image'), contents);
  /** The error for a file: code, message without its path, next step. */
  const saidOf = async (contents: Buffer | string): Promise<string> => {
    const { code, message, next } = await errorOf(readBzImage(file(contents)));
    return `${code}: ${message.replace(folder, '')}; ${next}`;
  };

  it('tells its release, and where the kernel proper is', async () => {
    const payload = gzipSync('kernel');
    const image = await readBzImage(file(aBzImage({ release: '6.1.192-own+', payload, setupSectors: 27 })));
    expect(image).to.deep.equal({
      release: '6.1.192-own+',
      version: '6.1.192-own+ (who@where) #1 SMP today',
      payload: { offset: 28 * 512 + 100, length: payload.length, compression: 'gzip' },
    });
  });

  it('counts four sectors when its header says none, as the oldest do', async () => {
    const { payload } = await readBzImage(file(aBzImage({ setupSectors: 0 })));
    expect(payload).to.include({ offset: 5 * 512 + 100, compression: 'gzip' });
  });

  it('knows every compression by its first bytes', async () => {
    const first = {
      fd377a585a000004: 'xz',
      '28b52ffd00000000': 'zstd',
      '02214c1800000000': 'lz4',
      '5d00008000ffffff': 'lzma',
      '425a683931415926': 'bzip2',
      '894c5a4f000d0a1a': 'lzo',
      '7f454c4602010100': 'none',
      '0123456789abcdef': 'unknown',
    };
    for (const [bytes, compression] of Object.entries(first)) {
      const image = file(aBzImage({ payload: Buffer.from(bytes, 'hex') }));
      expect((await readBzImage(image)).payload.compression).to.equal(compression);
    }
  });

  it('is not there', async () => {
    const { code, message } = await errorOf(readBzImage(join(folder, 'none')));
    expect(code).to.equal('KERNEL_UNKNOWN');
    expect(message).to.equal(`there is no kernel at ${join(folder, 'none')}`);
  });

  it('is a folder, or a pipe, which nobody waits for', async () => {
    expect((await errorOf(readBzImage(folder))).message).to.match(/is no bzImage, but a folder$/);
    await runProgram(['mkfifo', join(folder, 'pipe')], { what: 'make a pipe', next: 'look' });
    expect((await errorOf(readBzImage(join(folder, 'pipe')))).message).to.match(/is no bzImage, but no file$/);
  });

  const others: Record<string, [contents: Buffer | string, said: RegExp]> = {
    'an empty file': ['', /^KERNEL_UNKNOWN: \/image is no bzImage, but an empty file; build or copy it again$/],
    'a text': ['#!/bin/sh\necho grüß\n', /but a text file; give the arch\/x86\/boot\/bzImage/],
    'an ELF vmlinux': [
      Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(4096)]),
      /but an ELF file.*vmlinux is not enough: give the arch/,
    ],
    'a Debian package': ['!<arch>\ndebian-binary', /but a Debian package; unpack it/],
    'a gzip file': [gzipSync('x'), /but a gzip file; unpack it/],
    'an initramfs': ['070701000000', /but an initramfs;/],
    'an Image for arm64': [
      Buffer.concat([Buffer.from('MZ'), Buffer.alloc(0x36), Buffer.from('ARM\x64'), Buffer.alloc(2000)]),
      /but an Image for arm64; guests are x86-64 machines/,
    ],
    'a unified kernel image': [
      Buffer.concat([Buffer.from('MZ'), Buffer.alloc(4096)]),
      /but an EFI program.*\.linux section/,
    ],
    zeros: [Buffer.alloc(4096), /but no kernel image that is known here;/],
    'a 32-bit kernel': [aBzImage({ longMode: false }), /^KERNEL_UNSUITABLE: \/image is a 32-bit kernel/],
    'a kernel before 3.8': [
      aBzImage({ protocol: 0x20a }),
      /^KERNEL_UNSUITABLE: \/image is from before Linux 3.8 \(boot protocol 2.10\)/,
    ],
    'a bzImage that is cut off': [
      aBzImage({ payload: Buffer.alloc(999, 1) }).subarray(0, 3000),
      /^KERNEL_UNSUITABLE: \/image is cut off: its kernel ends at byte 3659, the file at 3000; build or copy it again$/,
    ],
    'the first bytes of one': [aBzImage().subarray(0, 600), /^KERNEL_UNKNOWN: \/image is no bzImage/],
  };
  for (const [what, [contents, said]] of Object.entries(others)) {
    it(`is ${what}`, async () => expect(await saidOf(contents)).to.match(said));
  }
});
