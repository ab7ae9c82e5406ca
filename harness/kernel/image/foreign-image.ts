/** Identifies a file that was given as a kernel and is not a bzImage. */

interface Signature {
  /** Bytes from the file's beginning. */
  at: number;
  magic: Buffer;
  is: string;
  /** The file to give instead. */
  instead: string;
}

const ownTree = 'give the arch/x86/boot/bzImage of an x86-64 build, or its whole build tree';
const unpacked = 'unpack it and give the kernel image in it';
const otherMachine = `guests are x86-64 machines: ${ownTree}`;
const text = (is: string): Buffer => Buffer.from(is, 'latin1');
const hex = (bytes: string): Buffer => Buffer.from(bytes, 'hex');

/** The first match counts. Images of other architectures by their headers (Documentation/arch/{arm64,riscv}), the rest as file(1) does. */
const signatures: readonly Signature[] = [
  { at: 0x38, magic: text('ARM\x64'), is: 'an Image for arm64', instead: otherMachine },
  { at: 0x38, magic: text('RSC\x05'), is: 'an Image for RISC-V', instead: otherMachine },
  { at: 4, magic: text('zimg'), is: 'an EFI zboot image of another architecture', instead: otherMachine },
  { at: 0x24, magic: hex('18286f01'), is: 'a zImage for 32-bit ARM', instead: otherMachine },
  { at: 0, magic: hex('27051956'), is: 'an image for the U-Boot loader', instead: otherMachine },
  { at: 0, magic: hex('d00dfeed'), is: 'a flattened image tree', instead: otherMachine },
  { at: 0, magic: text('\x7fELF'), is: 'an ELF file, such as vmlinux', instead: `vmlinux is not enough: ${ownTree}` },
  {
    at: 0,
    magic: text('!<arch>\n'),
    is: 'a Debian package',
    instead: `${unpacked} (dpkg-deb -x), or name the version: macvlab kernels list`,
  },
  { at: 0, magic: hex('edabeedb'), is: 'an RPM package', instead: unpacked },
  { at: 0, magic: text('070701'), is: 'an initramfs', instead: ownTree },
  { at: 0, magic: text('QFI\xfb'), is: 'a disk image', instead: ownTree },
  { at: 0, magic: hex('1f8b'), is: 'a gzip file', instead: unpacked },
  { at: 0, magic: hex('fd377a585a'), is: 'an xz file', instead: unpacked },
  { at: 0, magic: hex('28b52ffd'), is: 'a zstd file', instead: unpacked },
  { at: 0, magic: text('BZh'), is: 'a bzip2 file', instead: unpacked },
  { at: 0, magic: text('PK\x03\x04'), is: 'a zip file', instead: unpacked },
  {
    at: 0,
    magic: text('MZ'),
    is: 'an EFI program, such as a unified kernel image',
    instead: 'take its .linux section out (objcopy -O binary -j .linux), and give that',
  },
];

/** Identifies a file by its first 1024 bytes. @param size of the whole file, in bytes */
export function describeForeign(head: Buffer, size: number): { is: string; instead: string } {
  if (size === 0) return { is: 'an empty file', instead: 'build or copy it again' };
  const found = signatures.find(({ at, magic }) => head.subarray(at, at + magic.length).equals(magic));
  if (found) return found;
  if (!/[^\t-\r\x20-\x7e\x80-\xff]/.test(head.toString('latin1'))) return { is: 'a text file', instead: ownTree };
  return { is: 'no kernel image that is known here', instead: ownTree };
}
