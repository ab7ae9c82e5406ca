/** From the user's choice to the kernels of a matrix. Before any experiment runs, each kernel is found, and is in the matrix once. */
import { resolve } from 'node:path';
import { MacvlabError } from '../../core/error.js';
import { seriesOf, findKernel, unknownKernel } from '../../kernel/debian/catalogue.js';
import { upstreamOf } from '../../kernel/debian/debian-version.js';
import { type KnownKernel, knownKernels, type KnownKernelOptions } from '../../kernel/debian/known-kernels.js';
import { isPath, resolveKernel } from '../../kernel/resolve.js';
import { slug } from '../../run/run-folder.js';
import { freeSlot } from '../folder.js';
import { allUnknown, modulesOfNone, unknownInSuite, unknownSuite } from './kernels-refused.js';
import { byAge } from './order.js';
import type { MatrixKernel } from '../record.js';

export interface KernelChoice {
  /**
   * "6.12", "7.3-rc", "trixie", a release, the path of an own kernel; "all" for the newest of each series.
   * "patched=./linux" gives a kernel a name.
   */
  kernels: readonly string[];
  /** Only kernels of this suite: "trixie", "trixie-backports". */
  suite?: string | undefined;
  /** Folder with the modules of the user's own kernels. */
  modules?: string | undefined;
  /** Receives a remark about each kernel that is left out. */
  onRemark?: (line: string) => void;
}

/**
 * The chosen kernels, from the oldest to the newest.
 * @throws MacvlabError KERNEL_UNKNOWN naming all that do not exist; USAGE for a name that is given twice; as
 * ownKernel()
 */
export async function chooseKernels(choice: KernelChoice, options: KnownKernelOptions = {}): Promise<MatrixKernel[]> {
  const { suite, modules, onRemark } = choice;
  const said = choice.kernels.length === 0 && suite !== undefined ? [all] : choice.kernels;
  const wanted = said.map(splitName);
  if (modules !== undefined && !wanted.some(({ spec }) => isOwn(spec))) throw modulesOfNone();
  const known = suite === undefined && wanted.every(({ spec }) => isOwn(spec)) ? [] : await knownKernels(options);
  const offered = suite === undefined ? known : known.filter((kernel) => isOfSuite(kernel, suite));
  if (suite !== undefined && offered.length === 0) throw unknownSuite(known, suite);
  const chosen: MatrixKernel[] = [];
  const unknown: MacvlabError[] = [];
  for (const { name, spec } of wanted) {
    if (spec === all) chosen.push(...newestOfSeries(offered).map((each) => column(each)));
    else if (isOwn(spec)) {
      const own = await ownColumn(spec, name, choice, options);
      if (own instanceof MacvlabError) unknown.push(own);
      else chosen.push(own);
    } else {
      const found = findKernel(offered, spec);
      if (found) chosen.push(column(found, name ?? spec));
      else unknown.push(suite === undefined ? unknownKernel(offered, spec) : unknownInSuite(offered, spec, suite));
    }
  }
  if (unknown.length > 0) throw allUnknown(unknown);
  if (chosen.length === 0)
    throw new MacvlabError('KERNEL_UNKNOWN', 'there are no kernels to choose from', { next: look });
  return withoutRepetition(chosen, onRemark).sort(byAge);
}

const all = 'all';
const look = 'look at `macvlab kernels list`';

function isOwn(spec: string): boolean {
  return spec !== all && isPath(spec);
}

function splitName(said: string): { name?: string; spec: string } {
  const [, before, behind] = /^([^=/]*)=(.*)$/s.exec(said) ?? [];
  const [name, spec] = [before?.trim(), (behind ?? said).trim()];
  if (spec === '') {
    throw new MacvlabError('USAGE', 'an empty kernel stands in the list of kernels', {
      next: 'give versions with commas between: --kernels 5.10,6.1,6.12',
    });
  }
  if (name === '' || (name !== undefined && spec === all)) {
    throw new MacvlabError(
      'USAGE',
      `“${said.trim()}” gives ${name ? 'several kernels one name' : 'a kernel an empty name'}`,
      {
        next: 'give a name to one kernel: --kernels 6.12,patched=./linux',
      },
    );
  }
  return { spec, ...(name !== undefined && { name }) };
}

/** Suites as Debian divides them: "trixie" also has the kernels of its security and updates suites. */
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
    // All candidates of a series have the same release.
    spec: version,
    version: upstream,
    release,
    origin: `Debian ${suites[0] ?? ''}, ${version}`,
    slot: slug(name),
  };
}

/** @returns the error if the kernel does not exist */
async function ownColumn(
  spec: string,
  name: string | undefined,
  { modules }: KernelChoice,
  { signal, onProgress }: KnownKernelOptions,
): Promise<MatrixKernel | MacvlabError> {
  const kernel = await resolveKernel(spec, { modules, signal, onProgress }).catch((error: unknown) => {
    if (error instanceof MacvlabError && error.code === 'KERNEL_UNKNOWN') return error;
    throw error;
  });
  if (kernel instanceof MacvlabError) return kernel;
  const { release, origin, id } = kernel;
  return {
    name: name ?? spec,
    // Absolute, so that a resumed matrix finds it from any folder.
    spec: resolve(spec),
    version: versionOf(release, origin),
    release,
    origin,
    ...(modules !== undefined && { modules }),
    build: id,
    slot: slug(name ?? release),
  };
}

/**
 * Refuses to resume with own kernels that were rebuilt: one column would show two kernels.
 * @throws MacvlabError USAGE naming the kernel; as ownKernel() if it no longer exists
 */
export async function refuseRebuilt(kernels: readonly MatrixKernel[], options: KnownKernelOptions = {}): Promise<void> {
  for (const { name, spec, modules, build } of kernels) {
    if (build === undefined) continue;
    const { id } = await resolveKernel(spec, { modules, signal: options.signal, onProgress: options.onProgress });
    if (id === build) continue;
    throw new MacvlabError('USAGE', `${name} has been built anew since the matrix was begun`, {
      evidence: spec,
      next: 'begin another matrix, without --resume',
    });
  }
}

/** "6.1.192" of Debian's "6.1.0-56-amd64", whose origin ends with "Debian 6.1.192-2 (2026-11-16)". */
function versionOf(release: string, origin: string): string {
  const packaged = /\bDebian (\d\S*)/.exec(origin)?.[1];
  const version = packaged === undefined ? release : upstreamOf(packaged);
  return /^\d+\.\d+(?:\.\d+)?(?:-rc\d+)?/.exec(version)?.[0] ?? release;
}

/** Makes one column per kernel, even if it has several names; refuses two kernels with the same name. */
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
    distinct.push({ ...kernel, slot: freeSlot(kernel, distinct) });
  }
  return distinct;
}
