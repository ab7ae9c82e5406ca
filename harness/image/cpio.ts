/**
 * Archives for a kernel's initramfs: the "newc" format (kernel: Documentation/driver-api/early-userspace/
 * buffer-format.rst), uncompressed. This is implemented here because it is short. Without root, neither a folder nor
 * the cpio program can contain a device node. Owner, time and numbering are fixed: the same files give the same bytes.
 */

export type CpioEntry = { name: string } & (
  | { folder: true }
  | { link: string }
  | { device: readonly [major: number, minor: number] }
  | { content: Buffer | string; executable?: boolean }
);

/** Bits of an inode's kind (inode(7)). */
const kinds = { folder: 0o040000, link: 0o120000, device: 0o020000, file: 0o100000 };

/** @param entries each after its folder */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const all = entries.map((entry, index) => record(entry, index + 1));
  return Buffer.concat([...all, record({ name: 'TRAILER!!!', content: '' }, 0)]);
}

function record(entry: CpioEntry, inode: number): Buffer {
  const { mode, body, device } = describe(entry);
  const name = Buffer.from(`${entry.name}\0`);
  const links = 'folder' in entry ? 2 : 1;
  const fields = [inode, mode, 0, 0, links, 0, body.length, 0, 0, ...device, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(body)]);
}

function describe(entry: CpioEntry): { mode: number; body: Buffer; device: readonly [number, number] } {
  const nothing = { body: Buffer.alloc(0), device: [0, 0] as const };
  if ('folder' in entry) return { ...nothing, mode: kinds.folder | 0o755 };
  if ('link' in entry) return { ...nothing, mode: kinds.link | 0o777, body: Buffer.from(entry.link) };
  if ('device' in entry) return { ...nothing, mode: kinds.device | 0o600, device: entry.device };
  return { ...nothing, mode: kinds.file | (entry.executable ? 0o755 : 0o644), body: Buffer.from(entry.content) };
}

/** Headers and contents begin at multiples of four bytes. */
function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
