/** The order of a matrix's columns. */
import type { MatrixKernel } from '../record.js';
import { kernelVersion } from '../compare/version-range.js';

/**
 * Compares two kernels for sorting: the older one first, candidates before their release. Kernels of one version keep
 * the user's order, so that a patched kernel follows its base. Kernels without a version come last.
 */
export function byAge(one: Pick<MatrixKernel, 'version'>, other: Pick<MatrixKernel, 'version'>): number {
  const [a, b] = [kernelVersion(one.version), kernelVersion(other.version)];
  if (a && b) return a.compare(b);
  return Number(a === undefined) - Number(b === undefined);
}
