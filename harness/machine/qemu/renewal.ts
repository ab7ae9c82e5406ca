/**
 * The program that a guest runs first after it has resumed. All guests of one saved state continue with the same random
 * numbers and at the same time. The program adds a seed to the kernel's entropy pool, makes the kernel use it at once
 * (random(4), RNDADDENTROPY and RNDRESEEDCRNG), and sets the clock to the microsecond. No program of the root image can
 * do either. So this is an ELF file with the few instructions that are necessary; each file carries its own seed.
 */
import { randomBytes } from 'node:crypto';

/** Where the kernel loads the file. */
const base = 0x400000;
/** Offsets in the file: after the ELF header (64 bytes) and one program header (56 bytes). */
const at = { path: 120, time: 136, pool: 152, seed: 160, code: 224 } as const;
const seedBytes = at.code - at.seed;

/** System calls of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl), and requests of include/uapi/linux/random.h. */
const calls = { open: 2, ioctl: 16, exit: 60, clockSettime: 227 } as const;
const addEntropy = 0x40085203;
const reseed = 0x5207;

/**
 * The program, with a new seed.
 * @param now microseconds since the epoch
 */
export function renewalProgram(now: number, seed: Buffer = randomBytes(seedBytes)): Buffer {
  const code = instructions();
  const file = Buffer.alloc(at.code + code.length);
  writeHeaders(file);
  file.write('/dev/urandom\0', at.path, 'latin1');
  file.writeBigInt64LE(BigInt(Math.floor(now / 1e6)), at.time);
  file.writeBigInt64LE(BigInt(Math.floor(now % 1e6) * 1000), at.time + 8);
  // struct rand_pool_info: bits of entropy, bytes, and the bytes.
  file.writeInt32LE(seedBytes * 8, at.pool);
  file.writeInt32LE(seedBytes, at.pool + 4);
  seed.copy(file, at.seed, 0, seedBytes);
  code.copy(file, at.code);
  return file;
}

/** Lines of a shell script that write the program to a file on a tmpfs, run it and remove it. Its failure ends the script. */
export function renewalScript(now: number, file: string): string[] {
  const bytes = [...renewalProgram(now)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  return ['umask 077', `printf '${bytes}' >${file}`, `chmod 700 ${file}`, file, `rm ${file}`, 'umask 022'];
}

/** An executable for x86-64 with one segment: the whole file (elf(5)). */
function writeHeaders(file: Buffer): void {
  Buffer.from('7f454c46020101', 'hex').copy(file);
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(base + at.code), 24); // entry
  file.writeBigUInt64LE(64n, 32); // the program header's offset
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable and executable
  file.writeBigUInt64LE(BigInt(base), 80);
  file.writeBigUInt64LE(BigInt(base), 88);
  file.writeBigUInt64LE(BigInt(file.length), 96);
  file.writeBigUInt64LE(BigInt(file.length), 104);
  file.writeBigUInt64LE(4096n, 112);
}

/** Exits with 1 if any of its calls fails: the results are combined, and a negative one sets the sign. */
function instructions(): Buffer {
  const eax = (value: number) => move(0xb8, value);
  const edi = (value: number) => move(0xbf, value);
  const esi = (value: number) => move(0xbe, value);
  const edx = (value: number) => move(0xba, value);
  const call = Buffer.from('0f05', 'hex');
  const keepDescriptor = Buffer.from('89c3', 'hex'); // mov ebx, eax
  const descriptor = Buffer.from('89df', 'hex'); // mov edi, ebx
  const firstResult = Buffer.from('89c5', 'hex'); // mov ebp, eax
  const furtherResult = Buffer.from('09c5', 'hex'); // or ebp, eax
  const status = Buffer.from('89efc1ef1f', 'hex'); // mov edi, ebp; shr edi, 31
  return Buffer.concat([
    ...[eax(calls.open), edi(base + at.path), esi(1), edx(0), call, keepDescriptor],
    ...[eax(calls.ioctl), descriptor, esi(addEntropy), edx(base + at.pool), call, firstResult],
    ...[eax(calls.ioctl), descriptor, esi(reseed), edx(0), call, furtherResult],
    ...[eax(calls.clockSettime), edi(0), esi(base + at.time), call, furtherResult],
    ...[eax(calls.exit), status, call],
  ]);
}

function move(register: number, value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(register);
  bytes.writeUInt32LE(value, 1);
  return bytes;
}
