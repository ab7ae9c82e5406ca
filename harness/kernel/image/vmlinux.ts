/** The uncompressed kernel from a bzImage. QEMU enters it directly, so that the guest does not need to unpack it. */
import { existsSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { cacheEntry } from '../../core/cache.js';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { findProgram } from '../../setup/tools.mjs';
import { type Compression, readBzImage } from './bzimage.js';
import { hasPvhEntry, isElf } from './elf.js';
import type { Kernel } from '../kernel.js';

/** Programs that unpack one file into another; gzip needs none. */
const unpackers: Partial<Record<Compression, (packed: string, unpacked: string) => [string, ...string[]]>> = {
  // xz and bzip2 name the output after the input, without its suffix.
  xz: (packed) => ['xz', '-dk', '--suffix=.packed', packed],
  lzma: (packed) => ['xz', '--format=lzma', '-dk', '--suffix=.packed', packed],
  zstd: (packed, unpacked) => ['zstd', '-dq', packed, '-o', unpacked],
  lz4: (packed, unpacked) => ['lz4', '-dq', packed, unpacked],
  bzip2: (packed) => ['bzip2', '-dk', packed],
  lzo: (packed, unpacked) => ['lzop', '-dq', packed, '-o', unpacked],
};

/** Bytes after a payload that is not gzip: the unpacked size, for the kernel's own unpacker (scripts/Makefile.lib). */
const sizeBytes = 4;

/**
 * A kernel's ELF file, for QEMU's `-kernel`. Cached by the kernel's id.
 * @returns its path; undefined when it cannot be entered through PVH (CONFIG_PVH), or this machine cannot unpack it
 * @throws MacvlabError what {@link readBzImage} throws; CACHE_NOT_WRITABLE
 */
export async function vmlinuxOf(
  kernel: Pick<Kernel, 'id' | 'image'>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const folder = await cacheEntry(join('vmlinux', kernel.id), async (made) => {
      const elf = await unpackImage(kernel.image, made, signal);
      // Only results that depend on the image alone are cached: a missing program may be installed later.
      if (!elf) throw new CannotUnpack();
      if (!hasPvhEntry(elf)) await rm(join(made, 'vmlinux'));
    });
    const path = join(folder, 'vmlinux');
    return existsSync(path) ? path : undefined;
  } catch (error) {
    if (error instanceof CannotUnpack) return undefined;
    throw error;
  }
}

class CannotUnpack extends Error {}

/**
 * The ELF file in a bzImage, which is written into a folder as `vmlinux`.
 * @returns its contents; undefined when the unpacking program is missing or fails, or its output is not an ELF file
 * @throws MacvlabError what {@link readBzImage} throws
 */
export async function unpackImage(image: string, folder: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  const { payload } = await readBzImage(image);
  await using file = await open(image);
  const packed = Buffer.alloc(payload.length);
  await file.read(packed, 0, packed.length, payload.offset);
  const path = join(folder, 'vmlinux');
  await unpackTo(path, packed, payload.compression, signal);
  const elf = await readFile(path).catch(() => undefined);
  return elf && isElf(elf) ? elf : undefined;
}

async function unpackTo(path: string, packed: Buffer, compression: Compression, signal?: AbortSignal): Promise<void> {
  if (compression === 'none') return writeFile(path, packed);
  if (compression === 'gzip') {
    const unpacked = await promisify(gunzip)(packed).catch(() => undefined);
    return unpacked && writeFile(path, unpacked);
  }
  const source = `${path}.${compression === 'bzip2' ? 'bz2' : 'packed'}`;
  const argv = unpackers[compression]?.(source, path);
  if (!argv || !findProgram(argv[0])) return;
  await writeFile(source, packed.subarray(0, -sizeBytes));
  try {
    await runProgram(argv, { what: 'unpack the kernel', next: 'build or copy it again', signal });
  } catch (error) {
    if (!(error instanceof MacvlabError)) throw error;
    await rm(path, { force: true });
  } finally {
    await rm(source);
  }
}
