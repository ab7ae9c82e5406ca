/** A matrix in parts, for several machines: which experiments of which kernels are a part's own. */
import { MacvlabError } from '../core/error.js';
import type { ExperimentKey, MatrixKernel } from './record.js';

/** Part `index` of `count`, from 1. */
export interface Shard {
  index: number;
  count: number;
}

/**
 * The kernels with the share that a part has of each. All parts together have everything once; each is a stretch of kernels,
 * so that most kernels are booted on one machine only, and suite files are never torn apart.
 * @throws MacvlabError USAGE when there are more parts than can be made
 */
export function shareOut(
  kernels: readonly MatrixKernel[],
  experiments: readonly ExperimentKey[],
  { index, count }: Shard,
): MatrixKernel[] {
  const files = [...new Set(experiments.map(({ file }) => file))];
  const pieces = kernels.flatMap((kernel) =>
    files.map((file) => ({
      kernel,
      positions: experiments.flatMap((experiment, position) => (experiment.file === file ? [position] : [])),
    })),
  );
  if (count > pieces.length) {
    throw new MacvlabError('USAGE', `${count} parts cannot be made of ${pieces.length} whole suite files`, {
      evidence: `kernels: ${kernels.length}; suite files of each: ${files.length}`,
      next: `use at most --shard ${Math.min(index, pieces.length)}/${pieces.length}`,
    });
  }
  const own = new Set(
    partOf(
      pieces.map(({ positions }) => positions.length),
      { index, count },
    ),
  );
  return kernels.map((kernel) => {
    const share = pieces.flatMap((piece, at) => (piece.kernel === kernel && own.has(at) ? piece.positions : []));
    if (share.length === experiments.length) return kernel;
    return { ...kernel, share: share.sort((a, b) => a - b) };
  });
}

/** Positions of the pieces of one part: each begins where the one before ends, and as near to its due as whole pieces allow. */
function partOf(weights: readonly number[], { index, count }: Shard): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const bounds = [0];
  let done = 0;
  weights.forEach((weight, at) => {
    done += weight;
    const left = weights.length - at - 1;
    const open = count - bounds.length;
    const due = (total * bounds.length) / count;
    // Behind the next piece it would be no nearer.
    const isDue = due - done <= (weights[at + 1] ?? 0) / 2;
    // A part is never empty: the last pieces go one to each part that has none.
    if (open > 0 && (isDue || left <= open) && left >= open) bounds.push(at + 1);
  });
  const [from = 0, to = weights.length] = [bounds[index - 1], bounds[index]];
  return Array.from({ length: to - from }, (_, offset) => from + offset);
}
