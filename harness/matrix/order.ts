/** The order of a matrix's columns. */
import type { MatrixKernel } from './record.js';
import { kernelVersion } from './version-range.js';

/**
 * Compares two kernels for sorting: the older one first, candidates before their release. Those of one version stay as they
 * were said, so that a patched kernel stands behind its base; what has no version comes behind all others.
 */
export function byAge(one: Pick<MatrixKernel, 'version'>, other: Pick<MatrixKernel, 'version'>): number {
  const [a, b] = [kernelVersion(one.version), kernelVersion(other.version)];
  if (a && b) return a.compare(b);
  return Number(a === undefined) - Number(b === undefined);
}
