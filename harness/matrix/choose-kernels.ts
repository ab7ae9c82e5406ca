/** From what a person says to the kernels of a matrix: all are known, and each once, before anything is performed. */
import { MacvlabError } from '../core/error.js';
import { seriesOf, findKernel, unknownKernel } from '../kernel/catalogue.js';
import { compareVersions } from '../kernel/debian-version.js';
import { type KnownKernel, knownKernels, type KnownKernelOptions } from '../kernel/known-kernels.js';
import { isPath, resolveKernel } from '../kernel/resolve.js';
import { slug } from '../run/run-folder.js';
import type { MatrixKernel } from './record.js';

export interface KernelChoice {
  /**
   * "6.12", "7.3-rc", "trixie", a release, the path of one's own kernel; "all" for the newest of each series. "patched=./linux"
   * gives it a name of its own.
   */
  kernels: readonly string[];
  /** Only kernels of this suite: "trixie", "trixie-backports". */
  suite?: string | undefined;
  /** Folder with the modules of one's own kernels. */
  modules?: string | undefined;
  /** Told of what is left out. */
  onRemark?: (line: string) => void;
}

/**
 * The kernels that are meant, from the oldest to the newest.
 * @throws MacvlabError KERNEL_UNKNOWN naming all that do not exist; USAGE for names that are said twice; as ownKernel()
 */
export async function chooseKernels(choice: KernelChoice, options: KnownKernelOptions = {}): Promise<MatrixKernel[]> {
  const { suite, onRemark } = choice;
  const said = choice.kernels.length === 0 && suite !== undefined ? ['all'] : choice.kernels;
  const wanted = said.map(splitName);
  const known = wanted.every(({ spec }) => isPath(spec)) ? [] : await knownKernels(options);
  const offered = suite === undefined ? known : known.filter((kernel) => isOfSuite(kernel, suite));
  if (suite !== undefined && offered.length === 0) throw unknownSuite(known, suite);
  const chosen: MatrixKernel[] = [];
  const unknown: { spec: string; error: MacvlabError }[] = [];
  for (const { name, spec } of wanted) {
    if (spec === 'all' && name === undefined) chosen.push(...newestOfSeries(offered).map((each) => column(each)));
    else if (isPath(spec)) chosen.push(await ownColumn(spec, name, choice, options));
    else {
      const found = findKernel(offered, spec);
      if (found) chosen.push(column(found, name ?? spec));
      else unknown.push({ spec, error: unknownKernel(offered, spec) });
    }
  }
  if (unknown.length > 0) throw allUnknown(unknown);
  const distinct = withoutRepetition(chosen, onRemark);
  return distinct.sort((a, b) => compareVersions(a.version, b.version));
}

function splitName(said: string): { name?: string; spec: string } {
  const [, name, spec] = /^([^=/]+)=(.*)$/s.exec(said) ?? [];
  const whole = spec ?? said;
  if (whole.trim() !== '') return { spec: whole.trim(), ...(name !== undefined && { name: name.trim() }) };
  throw new MacvlabError('USAGE', `an empty kernel stands in the list of kernels`, {
    next: 'give versions with commas between: --kernels 5.10,6.1,6.12',
  });
}

/** Suites as Debian splits them: "trixie" also has what came through security and updates. */
function isOfSuite({ suites, labels }: KnownKernel, suite: string): boolean {
  const wanted = suite === 'unstable' ? 'sid' : suite;
  return (
    labels.includes(wanted) || suites.some((each) => [wanted, `${wanted}-security`, `${wanted}-updates`].includes(each))
  );
}

function newestOfSeries(kernels: readonly KnownKernel[]): KnownKernel[] {
  return [...new Map(kernels.map((kernel) => [seriesOf(kernel), kernel])).values()];
}

function column(kernel: KnownKernel, name = seriesOf(kernel)): MatrixKernel {
  const { release, upstream, version, suites } = kernel;
  return {
    name,
    spec: release,
    version: upstream,
    release,
    origin: `Debian ${suites[0] ?? ''}, ${version}`,
    slot: slug(name),
  };
}

async function ownColumn(
  spec: string,
  name: string | undefined,
  { modules }: KernelChoice,
  { signal, onProgress }: KnownKernelOptions,
): Promise<MatrixKernel> {
  const { release, origin } = await resolveKernel(spec, { modules, signal, onProgress });
  return {
    name: name ?? spec,
    spec,
    version: /^\d+\.\d+(?:\.\d+)?(?:-rc\d+)?/.exec(release)?.[0] ?? release,
    release,
    origin,
    ...(modules !== undefined && { modules }),
    slot: slug(name ?? release),
  };
}

/** The same kernel is one column, whatever it is called; two kernels of one name could not be told apart. */
function withoutRepetition(chosen: readonly MatrixKernel[], onRemark?: (line: string) => void): MatrixKernel[] {
  const distinct: MatrixKernel[] = [];
  for (const kernel of chosen) {
    const same = distinct.find(({ spec, modules }) => spec === kernel.spec && modules === kernel.modules);
    if (same) {
      if (same.name !== kernel.name)
        onRemark?.(`${kernel.name} and ${same.name} are the same kernel, ${same.release}: performed once`);
      continue;
    }
    const namesake = distinct.find(({ name }) => name === kernel.name);
    if (namesake) {
      throw new MacvlabError(
        'USAGE',
        `two kernels would be called ${kernel.name}: ${namesake.release} and ${kernel.release}`,
        {
          next: 'give one of them a name of its own: --kernels 6.12,patched=./linux',
        },
      );
    }
    const taken = distinct.filter(({ slot }) => slot === kernel.slot || slot.startsWith(`${kernel.slot}-`)).length;
    distinct.push(taken === 0 ? kernel : { ...kernel, slot: `${kernel.slot}-${taken + 1}` });
  }
  return distinct;
}

function allUnknown(unknown: readonly { spec: string; error: MacvlabError }[]): MacvlabError {
  const [first] = unknown;
  if (first && unknown.length === 1) return first.error;
  const list = unknown.map(({ spec }) => `“${spec}”`).join(', ');
  return new MacvlabError('KERNEL_UNKNOWN', `there are no kernels ${list} among those that can be chosen from`, {
    evidence: unknown.map(({ spec, error }) => `${spec}: ${error.evidence ?? ''}`).join('\n'),
    next: 'choose from `macvlab kernels list`, or give the path of one of your own; nothing was begun',
  });
}

function unknownSuite(known: readonly KnownKernel[], suite: string): MacvlabError {
  const suites = [...new Set(known.flatMap((kernel) => kernel.suites))].sort();
  return new MacvlabError('KERNEL_UNKNOWN', `no kernel is of a suite “${suite}”`, {
    evidence: `suites: ${suites.join(', ')}`,
    next: 'choose one of these with --suite',
  });
}
