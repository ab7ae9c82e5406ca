import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { hasPvhEntry } from './elf.js';
import { aBzImage, anElf, errorOf, pvhNote, put } from '../own/own-kernel.test-support.js';
import { unpackImage, vmlinuxOf } from './vmlinux.js';
import { needs } from '../../setup/needs.test-support.js';

describe('the kernel in an image', () => {
  let folder: string;
  const ownCache = process.env.MACVLAB_CACHE;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-vmlinux-'));
    process.env.MACVLAB_CACHE = join(folder, 'cache');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    delete process.env.MACVLAB_CACHE;
    if (ownCache !== undefined) process.env.MACVLAB_CACHE = ownCache;
  });
  const imageOf = (payload: Buffer): string => put(join(folder, 'image'), aBzImage({ payload }));
  const size = Buffer.alloc(4, 7);

  it('is unpacked, and kept by the kernel’s id', async () => {
    const elf = anElf();
    const path = await vmlinuxOf({ id: 'k1', image: imageOf(gzipSync(elf)) });
    expect(readFileSync(path!)).to.deep.equal(elf);
    // Found again, although the image has changed.
    expect(await vmlinuxOf({ id: 'k1', image: imageOf(Buffer.from('1f8b', 'hex')) })).to.equal(path);
  });

  it('is of no use to QEMU without the note of its entry, nor when no ELF file comes out', async () => {
    const xenOnly = gzipSync(
      anElf({
        notes: [
          { name: 'Xen', type: 5 },
          { name: 'Linux', type: 18 },
        ],
      }),
    );
    expect(await vmlinuxOf({ id: 'k1', image: imageOf(xenOnly) })).to.equal(undefined);
    expect(await vmlinuxOf({ id: 'k2', image: imageOf(gzipSync('text')) })).to.equal(undefined);
    expect(await vmlinuxOf({ id: 'k3', image: imageOf(Buffer.from('0123456789', 'hex')) })).to.equal(undefined);
    expect(await vmlinuxOf({ id: 'k4', image: imageOf(gzipSync(anElf()).subarray(0, 40)) })).to.equal(undefined);
  });

  it('is tried again when this machine could not unpack it', async () => {
    const packed = gzipSync(anElf());
    expect(await vmlinuxOf({ id: 'k1', image: imageOf(packed.subarray(0, 40)) })).to.equal(undefined);
    expect(await vmlinuxOf({ id: 'k1', image: imageOf(packed) })).to.be.a('string');
  });

  it('is not looked for in what is no image', async () => {
    expect((await errorOf(vmlinuxOf({ id: 'k1', image: put(join(folder, 'text'), 'text') }))).message).to.match(
      /a text file$/,
    );
  });

  for (const [name, argv] of Object.entries({
    xz: ['xz', '--check=crc32', '-c'],
    zstd: ['zstd', '-qc'],
    lz4: ['lz4', '-lqc'],
    lzma: ['xz', '--format=lzma', '-c'],
    bzip2: ['bzip2', '-c'],
    lzop: ['lzop', '-c'],
  })) {
    it(`is unpacked by the machine’s ${name}, without the size behind it`, async function () {
      needs(this, argv[0]!);
      const elf = anElf({ rest: Buffer.alloc(100_000, 3) });
      const packed = execFileSync(argv[0]!, argv.slice(1), { input: elf });
      const image = imageOf(Buffer.concat([packed, size]));
      expect(await unpackImage(image, folder)).to.deep.equal(elf);
      expect(readdirSync(folder).sort()).to.deep.equal(['image', 'vmlinux']);
    });
  }
});

describe('an ELF file’s notes', () => {
  it('are found behind others, whose names and contents are filled up', () => {
    expect(hasPvhEntry(anElf({ notes: [{ name: 'GNU', type: 3 }, { name: 'Linux', type: 257 }, pvhNote] }))).to.equal(
      true,
    );
  });

  it('are none where tables lead nowhere', () => {
    const elf = anElf();
    elf.writeBigUInt64LE(1n << 40n, 0x20);
    expect(hasPvhEntry(elf)).to.equal(false);
    expect(hasPvhEntry(anElf().subarray(0, 100))).to.equal(false);
    expect(hasPvhEntry(Buffer.from('\x7fELF'))).to.equal(false);
  });
});
