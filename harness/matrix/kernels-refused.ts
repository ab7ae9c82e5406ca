/** Why kernels cannot be those of a matrix, as it is told. */
import { MacvlabError } from '../core/error.js';
import { unknownKernel } from '../kernel/catalogue.js';
import type { KnownKernel } from '../kernel/known-kernels.js';

/** All that do not exist, in one. */
export function allUnknown(unknown: readonly MacvlabError[]): MacvlabError {
  const [first] = unknown;
  if (first && unknown.length === 1) return first;
  return new MacvlabError('KERNEL_UNKNOWN', `${unknown.length} of the kernels do not exist`, {
    evidence: unknown.map(({ message, evidence }) => [message, evidence].filter(Boolean).join('; ')).join('\n'),
    next: 'choose from `macvlab kernels list`, or give the paths of your own; nothing was begun',
  });
}

/** There is no kernel that they could belong to. */
export function modulesOfNone(): MacvlabError {
  return new MacvlabError('USAGE', 'modules were given, and none of the kernels is your own', {
    next: 'leave --modules out: Debian’s kernels come with theirs',
  });
}

/** It may exist elsewhere. */
export function unknownInSuite(offered: readonly KnownKernel[], spec: string, suite: string): MacvlabError {
  return new MacvlabError('KERNEL_UNKNOWN', `there is no kernel “${spec}” in ${suite}`, {
    evidence: unknownKernel(offered, spec).evidence,
    next: `leave --suite ${suite} out, or choose one of its kernels`,
  });
}

/** No kernel is of it. */
export function unknownSuite(known: readonly KnownKernel[], suite: string): MacvlabError {
  const suites = [...new Set(known.flatMap((kernel) => kernel.suites))].sort();
  return new MacvlabError('KERNEL_UNKNOWN', `no kernel is of a suite “${suite}”`, {
    evidence: `suites: ${suites.join(', ')}`,
    next: 'choose one of these with --suite',
  });
}
