/** The kernels of a bisection: those of the catalogue between two given ones, ends included. */
import { MacvlabError } from '../../core/error.js';
import { byVersion, findKernel, seriesOf, unknownKernel } from '../../kernel/debian/catalogue.js';
import type { KnownKernel } from '../../kernel/debian/known-kernels.js';
import { isPath } from '../../kernel/resolve.js';
import { slug } from '../../run/run-folder.js';
import type { BisectionRecord } from './bisection-record.js';
import type { MatrixKernel } from '../record.js';

export interface BetweenOptions {
  /** The user's names for the kernels: "6.1", "6.12.94", "trixie" ... */
  good: string;
  bad: string;
  /** Only the newest of each series. */
  seriesOnly?: boolean | undefined;
}

/**
 * The kernels from one to the other, from the oldest to the newest by package version.
 * @param known all kernels of the catalogue
 * @throws MacvlabError KERNEL_UNKNOWN naming the nearest; USAGE if both are the same kernel, or if one is a user's own
 * kernel
 */
export function kernelsBetween(
  known: readonly KnownKernel[],
  { good, bad, seriesOnly = false }: BetweenOptions,
): Pick<BisectionRecord, 'kernels' | 'good'> {
  const [goodKernel, badKernel] = [find(known, good), find(known, bad)];
  if (goodKernel.version === badKernel.version) {
    const both = good === bad ? `${good} means` : `${good} and ${bad} mean`;
    throw new MacvlabError(
      'USAGE',
      `good and bad are the same kernel: ${both} ${goodKernel.release}, ${goodKernel.version}`,
      {
        next: 'give two; `macvlab kernels list --all` shows those that there are',
      },
    );
  }
  const ends = [goodKernel, badKernel].sort(byVersion);
  const newest = new Map([...known].sort(byVersion).map((kernel) => [seriesOf(kernel), kernel]));
  const offered = seriesOnly ? [...newest.values()] : known;
  const inside = offered.filter((kernel) =>
    ends.every((end, index) => kernel.version !== end.version && byVersion(kernel, end) < 0 === (index === 1)),
  );
  const [first, last] = ends;
  const row = [first, ...inside.sort(byVersion), last].filter((kernel) => kernel !== undefined);
  return { kernels: row.map((kernel) => asColumn(kernel, row)), good: first === goodKernel ? 'oldest' : 'newest' };
}

function find(known: readonly KnownKernel[], spec: string): KnownKernel {
  if (isPath(spec)) {
    throw new MacvlabError('USAGE', `${spec} is a kernel of your own, and there are none between it and another`, {
      next: 'find the commit instead: git bisect run macvlab run --kernel . --bisect <experiment>',
    });
  }
  const found = findKernel(known, spec);
  if (!found) throw unknownKernel(known, spec);
  return found;
}

/** The name is the upstream version, or the package version if several kernels have the same upstream version. */
function asColumn(kernel: KnownKernel, row: readonly KnownKernel[]): MatrixKernel {
  const { release, upstream, version, suites } = kernel;
  const isAlone = row.filter((each) => each.upstream === upstream).length === 1;
  return {
    name: isAlone ? upstream : version,
    // All candidates of a series have the same release.
    spec: version,
    version: upstream,
    release,
    origin: `Debian ${suites[0] ?? ''}, ${version}`,
    slot: slug(version),
  };
}
