/** What the kernel commands say alike. */

/** What says which kernel, as it stands in the help. */
export const whichKernel = 'series (6.12), version (6.12.94), release, suite (trixie), or newest';

/** Bytes as a person reads them: "35 MB". */
export function megabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
