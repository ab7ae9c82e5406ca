/**
 * The image for all containers, with only a program that waits. Commands for a container run from outside, in its
 * network namespace. So no image from a registry is needed, and no registry is available.
 */

/** The program's path in the image. */
export const pauseProgram = '/pause';

/** `pause` in an endless loop, for x86-64: mov eax, 34; syscall; jmp to the beginning (asm/unistd_64.h: __NR_pause). */
const code = Buffer.from('b8220000000f05ebf7', 'hex');

const loadAddress = 0x400000n;
const headerSize = 64;
const programHeaderSize = 56;

/** An ELF executable of one segment, in the format of elf(5). */
function executable(): Buffer {
  const start = headerSize + programHeaderSize;
  const file = Buffer.alloc(start + code.length);
  // magic, 64 bits, little endian, version 1; type EXEC, machine x86-64, version 1
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(62, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(loadAddress + BigInt(start), 24);
  file.writeBigUInt64LE(BigInt(headerSize), 32);
  file.writeUInt16LE(headerSize, 52);
  file.writeUInt16LE(programHeaderSize, 54);
  file.writeUInt16LE(1, 56);
  // LOAD, readable and executable: the whole file
  file.writeUInt32LE(1, headerSize);
  file.writeUInt32LE(5, headerSize + 4);
  file.writeBigUInt64LE(loadAddress, headerSize + 16);
  file.writeBigUInt64LE(loadAddress, headerSize + 24);
  file.writeBigUInt64LE(BigInt(file.length), headerSize + 32);
  file.writeBigUInt64LE(BigInt(file.length), headerSize + 40);
  file.writeBigUInt64LE(0x1000n, headerSize + 48);
  file.set(code, start);
  return file;
}

const block = 512;

/** The image's only layer, in the format that engines import: a tar archive with the program in it (POSIX.1-2001, pax, "ustar"). */
export function pauseImage(): Buffer {
  const content = executable();
  const header = Buffer.alloc(block);
  header.write(pauseProgram.slice(1), 0);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  octal(0o755, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  // The checksum is computed with blanks in its own place.
  header.write(' '.repeat(8), 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padded = Buffer.alloc(Math.ceil(content.length / block) * block);
  padded.set(content);
  return Buffer.concat([header, padded, Buffer.alloc(2 * block)]);
}
