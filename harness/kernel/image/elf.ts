/** Checks of a 64-bit ELF file: whether it is one, and whether it has the note for direct kernel entry. */

/** Whether bytes are an ELF file for x86-64 (elf(5): EI_CLASS, EI_DATA, e_machine). */
export function isElf(bytes: Buffer): boolean {
  const x86 = 62; // EM_X86_64
  return bytes.length >= 64 && bytes.toString('latin1', 0, 6) === '\x7fELF\x02\x01' && bytes.readUInt16LE(18) === x86;
}

/**
 * Whether a vmlinux defines where QEMU may enter it in 32-bit mode: its note `Xen` 18, XEN_ELFNOTE_PHYS32_ENTRY
 * (include/xen/interface/elfnote.h), which CONFIG_PVH adds (arch/x86/platform/pvh/head.S).
 */
export function hasPvhEntry(elf: Buffer): boolean {
  if (!isElf(elf)) return false;
  try {
    return noteSegments(elf).some((segment) =>
      notesOf(segment).some(({ name, type }) => name === 'Xen' && type === 18),
    );
  } catch (error) {
    // Tables that point beyond the file's end.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** More than any kernel has. In a file of only headers and notes, each header could cover all the notes. */
const mostSegments = 16;
const mostNotes = 1024;

/** The contents of the program headers of type PT_NOTE. */
function noteSegments(elf: Buffer): Buffer[] {
  const [table, size, count] = [Number(elf.readBigUInt64LE(0x20)), elf.readUInt16LE(0x36), elf.readUInt16LE(0x38)];
  const headers = Array.from({ length: count }, (_, index) => table + index * size);
  return headers
    .filter((at) => elf.readUInt32LE(at) === 4)
    .slice(0, mostSegments)
    .map((at) => {
      const offset = Number(elf.readBigUInt64LE(at + 8));
      return elf.subarray(offset, offset + Number(elf.readBigUInt64LE(at + 32)));
    });
}

/** The notes in a segment: sizes of name and contents, type, then both, each padded to 4 bytes (elf(5), "Notes"). */
function notesOf(segment: Buffer): { name: string; type: number }[] {
  const notes: { name: string; type: number }[] = [];
  const filled = (size: number): number => Math.ceil(size / 4) * 4;
  for (let at = 0; at + 12 <= segment.length && notes.length < mostNotes;) {
    const [nameSize, size, type] = [
      segment.readUInt32LE(at),
      segment.readUInt32LE(at + 4),
      segment.readUInt32LE(at + 8),
    ];
    notes.push({ name: segment.toString('latin1', at + 12, at + 12 + nameSize).replace(/\0$/, ''), type });
    at += 12 + filled(nameSize) + filled(size);
  }
  return notes;
}
