/**
 * Reads an x86 kernel image (bzImage, vmlinuz): its release, and where the compressed kernel is in it. Offsets and
 * magic numbers are those of Documentation/arch/x86/boot.rst.
 */
import { open, stat } from 'node:fs/promises';
import { MacvlabError, messageOf } from '../../core/error.js';
import { describeForeign } from './foreign-image.js';

export type Compression = 'gzip' | 'xz' | 'zstd' | 'lz4' | 'lzma' | 'bzip2' | 'lzo' | 'none' | 'unknown';

export interface BzImage {
  /** The future output of `uname -r`: the version's first word. */
  release: string;
  /** "6.1.0 (who@where) #1 SMP ..." */
  version: string;
  /** The compressed kernel in the file. */
  payload: {
    /** Bytes from the file's beginning. */
    offset: number;
    /** Bytes. Unless it is gzip, the last four of them are the unpacked size, not payload (scripts/Makefile.lib, size_append). */
    length: number;
    compression: Compression;
  };
}

/** First bytes of each compression, as the kernel build writes them (boot.rst, "payload_offset"; lib/decompress.c). */
const compressions: readonly (readonly [magic: string, Compression])[] = [
  ['1f8b', 'gzip'],
  ['1f9e', 'gzip'],
  ['fd377a585a00', 'xz'],
  ['28b52ffd', 'zstd'],
  ['02214c18', 'lz4'],
  ['5d0000', 'lzma'],
  ['425a68', 'bzip2'],
  ['894c5a4f', 'lzo'],
  ['7f454c46', 'none'],
];

/** Bytes that hold the whole header: the last field that is read here ends at 0x250. */
const headSize = 1024;

/**
 * Reads an image's header.
 * @throws MacvlabError KERNEL_UNKNOWN, with a description, when the file is missing, unreadable or of another kind;
 *   KERNEL_UNSUITABLE when it is a bzImage that is truncated, too old, or not for 64-bit machines
 */
export async function readBzImage(path: string): Promise<BzImage> {
  const refuse = (error: unknown): never => {
    throw unreadable(path, error);
  };
  // Before it is opened: opening a pipe waits for a writer.
  const found = await stat(path).catch(refuse);
  if (!found.isFile()) {
    throw new MacvlabError(
      'KERNEL_UNKNOWN',
      `${path} is no bzImage, but ${found.isDirectory() ? 'a folder' : 'no file'}`,
      {
        next: 'give a bzImage, or the top folder of a kernel’s build tree',
      },
    );
  }
  await using file = await open(path).catch(refuse);
  const readAt = async (offset: number, length: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  };
  const head = await readAt(0, headSize);
  if (
    head.length < headSize ||
    head.readUInt16LE(0x1fe) !== 0xaa55 ||
    head.toString('latin1', 0x202, 0x206) !== 'HdrS'
  ) {
    const { is, instead } = describeForeign(head, found.size);
    throw new MacvlabError('KERNEL_UNKNOWN', `${path} is no bzImage, but ${is}`, { next: instead });
  }
  refuseOther(path, head);
  // 0 means 4 in the oldest images; the boot sector itself is not counted.
  const setupSize = ((head[0x1f1] || 4) + 1) * 512;
  const offset = setupSize + head.readUInt32LE(0x248);
  const length = head.readUInt32LE(0x24c);
  if (offset + length > found.size) {
    throw new MacvlabError(
      'KERNEL_UNSUITABLE',
      `${path} is cut off: its kernel ends at byte ${offset + length}, the file at ${found.size}`,
      {
        next: 'build or copy it again',
      },
    );
  }
  const version = await readVersion(head, readAt);
  if (!version) throw unsuitable(path, 'has no version in its header');
  const first = (await readAt(offset, 8)).toString('hex');
  const compression = compressions.find(([magic]) => first.startsWith(magic))?.[1] ?? 'unknown';
  return { release: version.split(' ', 1)[0] ?? version, version, payload: { offset, length, compression } };
}

/** @throws MacvlabError KERNEL_UNSUITABLE for an image that the guests’ QEMU or programs cannot use */
function refuseOther(path: string, head: Buffer): void {
  // 2.08 (Linux 2.6.26) added the payload's place, 2.12 (Linux 3.8) the word that marks 64-bit kernels.
  const protocol = head.readUInt16LE(0x206);
  if (protocol < 0x20c) {
    throw unsuitable(path, `is from before Linux 3.8 (boot protocol ${protocol >> 8}.${protocol & 0xff})`);
  }
  const forLongMode = 1; // XLF_KERNEL_64 in xloadflags
  if ((head.readUInt16LE(0x236) & forLongMode) === 0) {
    throw unsuitable(path, 'is a 32-bit kernel, and the guests’ programs are 64-bit ones (CONFIG_64BIT)');
  }
}

/** The string that the header points to. The header's pointer does not count the first 0x200 bytes. */
async function readVersion(head: Buffer, readAt: (offset: number, length: number) => Promise<Buffer>): Promise<string> {
  const pointer = head.readUInt16LE(0x20e);
  if (pointer === 0) return '';
  const bytes = await readAt(pointer + 0x200, 256);
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? 0 : end).trim();
}

function unsuitable(path: string, why: string): MacvlabError {
  return new MacvlabError('KERNEL_UNSUITABLE', `${path} ${why}`, { next: 'give the bzImage of a newer x86-64 build' });
}

function unreadable(path: string, error: unknown): MacvlabError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new MacvlabError('KERNEL_UNKNOWN', `there is no kernel at ${path}`, {
      next: 'give the path of a bzImage or of a kernel’s build tree, or a version that `macvlab kernels list` names',
    });
  }
  const denied = code === 'EACCES' || code === 'EPERM';
  return new MacvlabError('KERNEL_UNKNOWN', `${path} cannot be read: ${code ?? messageOf(error)}`, {
    // Only root can read Ubuntu's /boot/vmlinuz-*.
    next: denied ? 'make a copy that you may read: sudo install -m 644 <image> <copy>' : 'look at the file',
    cause: error,
  });
}
