/** A matrix in parts, for several machines: the experiments of each kernel that belong to a part. */
import { MacvlabError } from '../../core/error.js';
import type { ExperimentKey, MatrixKernel } from '../record.js';

/** Part `index` of `count`, from 1. */
export interface Shard {
  index: number;
  count: number;
}

/**
 * The kernels, each with its experiments in a part. All parts together have each experiment once. A part is a range of
 * adjacent kernels, so that most kernels boot on one machine only. Suite files are never split.
 * @throws MacvlabError USAGE if so many parts are impossible
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

/** Positions of the pieces of one part. It begins where the one before ends, as near to its due position as whole pieces allow. */
function partOf(weights: readonly number[], { index, count }: Shard): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const bounds = [0];
  let done = 0;
  weights.forEach((weight, at) => {
    done += weight;
    const left = weights.length - at - 1;
    const open = count - bounds.length;
    const due = (total * bounds.length) / count;
    // A bound after the next piece would be no nearer.
    const isDue = due - done <= (weights[at + 1] ?? 0) / 2;
    // A part is never empty: the last pieces go one to each part without a piece.
    if (open > 0 && (isDue || left <= open) && left >= open) bounds.push(at + 1);
  });
  const [from = 0, to = weights.length] = [bounds[index - 1], bounds[index]];
  return Array.from({ length: to - from }, (_, offset) => from + offset);
}
