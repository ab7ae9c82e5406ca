/** Kernel images and modules for tests, built from bytes: real headers with almost no contents. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Writes a file, and creates its folders. @returns its path */
export function put(path: string, contents: string | Buffer = ''): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
  return path;
}

export interface ImageParts {
  /** The version's first word. */
  release?: string;
  payload?: Buffer;
  /** The boot protocol, 0x20f in current kernels. */
  protocol?: number;
  /** Whether it is a 64-bit kernel. */
  longMode?: boolean;
  setupSectors?: number;
}

/** A bzImage: boot sector and set-up of `setupSectors`, then some code, then the payload. */
export function aBzImage(parts: ImageParts = {}): Buffer {
  const {
    release = '6.1.0-own',
    payload = gzipSync(anElf()),
    protocol = 0x20f,
    longMode = true,
    setupSectors = 4,
  } = parts;
  const setup = Buffer.alloc(((setupSectors || 4) + 1) * 512);
  const code = Buffer.alloc(100, 0x90);
  setup[0x1f1] = setupSectors;
  setup.writeUInt16LE(0xaa55, 0x1fe);
  setup.write('HdrS', 0x202, 'latin1');
  setup.writeUInt16LE(protocol, 0x206);
  setup.writeUInt16LE(0x300, 0x20e);
  setup.writeUInt16LE(Number(longMode), 0x236);
  setup.writeUInt32LE(code.length, 0x248);
  setup.writeUInt32LE(payload.length, 0x24c);
  setup.write(`${release} (who@where) #1 SMP today\0`, 0x500, 'latin1');
  return Buffer.concat([setup, code, payload]);
}

export interface Note {
  name: string;
  type: number;
}

/** The note that shows QEMU a kernel's entry point. */
export const pvhNote: Note = { name: 'Xen', type: 18 };

/** A vmlinux: an ELF file with notes, followed by any bytes. */
export function anElf({
  notes = [pvhNote],
  rest = Buffer.alloc(0),
}: { notes?: readonly Note[]; rest?: Buffer } = {}): Buffer {
  const segment = Buffer.concat(notes.map(noteBytes));
  const [header, program] = [elfHeader(), Buffer.alloc(56)];
  header.writeBigUInt64LE(64n, 0x20);
  header.writeUInt16LE(56, 0x36);
  header.writeUInt16LE(1, 0x38);
  program.writeUInt32LE(4, 0);
  program.writeBigUInt64LE(120n, 8);
  program.writeBigUInt64LE(BigInt(segment.length), 32);
  return Buffer.concat([header, program, segment, rest]);
}

function noteBytes({ name, type }: Note): Buffer {
  const sizes = Buffer.alloc(12);
  sizes.writeUInt32LE(name.length + 1, 0);
  sizes.writeUInt32LE(4, 4);
  sizes.writeUInt32LE(type, 8);
  const filled = Buffer.alloc(Math.ceil((name.length + 1) / 4) * 4);
  filled.write(name, 'latin1');
  return Buffer.concat([sizes, filled, Buffer.alloc(4)]);
}

function elfHeader(): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt16LE(64, 52);
  return header;
}

/** A module that contains only the name of its release. */
export function aModule(release: string): Buffer {
  const names = Buffer.from('\0.modinfo\0.shstrtab\0', 'latin1');
  const info = Buffer.from(`vermagic=${release} SMP \0license=GPL\0`, 'latin1');
  const header = elfHeader();
  header.writeUInt16LE(1, 16); // ET_REL
  header.writeBigUInt64LE(BigInt(64 + names.length + info.length), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(3, 60);
  header.writeUInt16LE(2, 62);
  const section = (name: number, type: number, offset: number, size: number): Buffer => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32LE(name, 0);
    bytes.writeUInt32LE(type, 4);
    bytes.writeBigUInt64LE(BigInt(offset), 24);
    bytes.writeBigUInt64LE(BigInt(size), 32);
    bytes.writeBigUInt64LE(1n, 48);
    return bytes;
  };
  const [progbits, strtab] = [1, 3];
  const sections = [
    Buffer.alloc(64),
    section(1, progbits, 64 + names.length, info.length),
    section(10, strtab, 64, names.length),
  ];
  return Buffer.concat([header, names, info, ...sections]);
}

/** A folder of installed modules for a release. */
export function putModules(root: string, release: string): void {
  const folder = join(root, 'lib/modules', release);
  put(join(folder, 'kernel/drivers/net/macvlan.ko'), aModule(release));
  put(join(folder, 'modules.order'), 'kernel/drivers/net/macvlan.ko\n');
  put(join(folder, 'modules.builtin'));
  put(join(folder, 'modules.builtin.modinfo'));
}

/** The error of a rejected promise. */
export async function errorOf(
  work: Promise<unknown>,
): Promise<Error & { code?: string; next?: string; evidence?: string }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it should have failed');
  return error;
}
