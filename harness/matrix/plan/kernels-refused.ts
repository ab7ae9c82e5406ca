/** The errors for kernels that a matrix refuses. */
import { MacvlabError } from '../../core/error.js';
import { unknownKernel } from '../../kernel/debian/catalogue.js';
import type { KnownKernel } from '../../kernel/debian/known-kernels.js';

/** All kernels that do not exist, in one error. */
export function allUnknown(unknown: readonly MacvlabError[]): MacvlabError {
  const [first] = unknown;
  if (first && unknown.length === 1) return first;
  return new MacvlabError('KERNEL_UNKNOWN', `${unknown.length} of the kernels do not exist`, {
    evidence: unknown.map(({ message, evidence }) => [message, evidence].filter(Boolean).join('; ')).join('\n'),
    next: 'choose from `macvlab kernels list`, or give the paths of your own; nothing was begun',
  });
}

/** The user gave modules, but no own kernel. */
export function modulesOfNone(): MacvlabError {
  return new MacvlabError('USAGE', 'modules were given, and none of the kernels is your own', {
    next: 'leave --modules out: Debian’s kernels come with theirs',
  });
}

/** The kernel is not in the suite, but may exist elsewhere. */
export function unknownInSuite(offered: readonly KnownKernel[], spec: string, suite: string): MacvlabError {
  return new MacvlabError('KERNEL_UNKNOWN', `there is no kernel “${spec}” in ${suite}`, {
    evidence: unknownKernel(offered, spec).evidence,
    next: `leave --suite ${suite} out, or choose one of its kernels`,
  });
}

/** The suite has no kernels. */
export function unknownSuite(known: readonly KnownKernel[], suite: string): MacvlabError {
  const suites = [...new Set(known.flatMap((kernel) => kernel.suites))].sort();
  return new MacvlabError('KERNEL_UNKNOWN', `no kernel is of a suite “${suite}”`, {
    evidence: `suites: ${suites.join(', ')}`,
    next: 'choose one of these with --suite',
  });
}
