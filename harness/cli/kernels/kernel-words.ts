/** Text that the kernel commands share. */

/** The ways to name a kernel, for the help. */
export const whichKernel = 'series (6.12), version (6.12.94), release, suite (trixie), or newest';

/** Bytes for human readers: "35 MB". */
export function megabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
