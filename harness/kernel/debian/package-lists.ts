/** Reads Debian's cloud kernels for amd64 from the archive's lists of packages. */
import { z } from 'zod';
import { suites } from './apt.js';
import { compareVersions, upstreamOf } from './debian-version.js';

/** A kernel of the archive. */
export interface DebianKernel {
  /** The output of `uname -r`: "6.1.0-56-cloud-amd64". */
  release: string;
  /** The kernel's own version: "6.1.192". */
  upstream: string;
  /** The packages' version: "6.1.192-2". */
  version: string;
  /** The suites that have it. */
  suites: string[];
  /** The names that lead to it now, and to another one later: "newest", and the suites with it as current kernel. */
  labels: string[];
  /** The packages to download. */
  packages: string[];
  /** The total size of the downloads. */
  bytes: number;
}

/** The same, as stored in JSON. */
export const debianKernelSchema: z.ZodType<DebianKernel> = z.object({
  release: z.string(),
  upstream: z.string(),
  version: z.string(),
  suites: z.array(z.string()),
  labels: z.array(z.string()),
  packages: z.array(z.string()),
  bytes: z.number(),
});

/** A package in one version. */
interface Package {
  name: string;
  version: string;
  bytes: number;
  /** Its dependencies on exact versions: name -> version. */
  depends: Map<string, string>;
  suites: string[];
}

/** The package that depends on a suite's current kernel. */
const metapackage = 'linux-image-cloud-amd64';

const imagePattern = /^linux-(?:image|binary-unsigned)-(\d[\w.+~-]*-cloud-amd64)(?:-unsigned)?$/;

/** deb-version(7). */
const versionPattern = /^\d[\w.+~:-]*$/;

/** Whether a package belongs to a cloud kernel. Headers, debug symbols and other architectures do not. */
export function concernsKernels(name: string): boolean {
  return (
    name === metapackage ||
    /^linux-(?:image|base|binary|modules)-(?:unsigned-)?\d[\w.+~-]*-cloud-amd64(?:-unsigned)?$/.test(name)
  );
}

/**
 * Reads the kernels from apt's output.
 * @param stanzas of `apt-cache show`
 * @param table of `apt-cache madison`, which alone shows the suites
 * @returns them from the oldest to the newest, without those whose packages are no longer complete
 */
export function readKernels(stanzas: string, table: string): DebianKernel[] {
  const packages = readPackages(stanzas, readSuites(table));
  const kernels = [...packages.values()].flatMap((image) => readKernel(image, packages) ?? []);
  const sorted = withoutRepetition(kernels).sort(byVersion);
  const newest = sorted.at(-1);
  if (newest) newest.labels.push('newest');
  for (const { suite, kernel } of currentKernels(packages, sorted)) kernel.labels.push(suite);
  return sorted;
}

/** From the oldest to the newest, by Debian's order. */
export function byVersion(one: DebianKernel, other: DebianKernel): number {
  return compareVersions(one.version, other.version) || (one.release < other.release ? -1 : 1);
}

/** @returns suites by "name version"; a row of the table is `name | version | uri suite/component architecture Packages` */
function readSuites(table: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, name = '', version = '', suite = ''] of table.matchAll(
    /^[ \t]*(\S+) \|[ \t]*(\S+) \| \S+ (\S+)\/main amd64 Packages$/gm,
  )) {
    const key = `${name} ${version}`;
    found.set(key, [...(found.get(key) ?? []), suite]);
  }
  return found;
}

function readPackages(stanzas: string, suitesOf: Map<string, string[]>): Map<string, Package> {
  const packages = new Map<string, Package>();
  for (const stanza of stanzas.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    const [name, version] = [field('Package'), field('Version')];
    const size = Number(field('Size'));
    if (!concernsKernels(name) || !versionPattern.test(version) || !Number.isSafeInteger(size)) continue;
    const depends = [...field('Depends').matchAll(/(?:^|, )(\S+) \(= ([^)\s]+)\)/g)];
    packages.set(`${name} ${version}`, {
      name,
      version,
      bytes: size,
      depends: new Map(depends.map(([, wanted = '', exact = '']) => [wanted, exact])),
      suites: [...new Set(suitesOf.get(`${name} ${version}`))].sort(bySuite),
    });
  }
  return packages;
}

function bySuite(one: string, other: string): number {
  const names: readonly string[] = suites;
  return names.indexOf(one) - names.indexOf(other);
}

/**
 * Up to 6.18 a kernel's package holds everything. Later ones hold nothing, and depend on three: the config
 * (linux-base), the image (linux-binary) and the modules.
 */
function readKernel(image: Package, packages: Map<string, Package>): DebianKernel | undefined {
  const release = imagePattern.exec(image.name)?.[1];
  // "linux-image-6.12-cloud-amd64" is not a kernel, but leads to the newest of its series.
  if (!release || [...image.depends.keys()].some((name) => name.startsWith('linux-image-'))) return undefined;
  const { version } = image;
  const find = (name: string) => packages.get(`${name}-${release} ${version}`);
  const binary = image.name.startsWith('linux-binary-')
    ? image
    : (find('linux-binary') ?? find('linux-binary-unsigned'));
  const split = binary === image || image.depends.has(`linux-binary-${release}`);
  const fetched = split ? [find('linux-base'), binary, find('linux-modules')] : [image];
  if (!fetched.every((part) => part !== undefined)) return undefined;
  return {
    release,
    upstream: upstreamOf(version),
    version,
    suites: image.suites,
    labels: [],
    packages: fetched.map(({ name }) => `${name}=${version}`),
    bytes: fetched.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Removes images that are not signed for Secure Boot, where the signed one exists. */
function withoutRepetition(kernels: readonly DebianKernel[]): DebianKernel[] {
  const isUnsigned = ({ packages }: DebianKernel) => packages.some((name) => name.includes('-unsigned'));
  const signedFirst = [...kernels].sort((one, other) => Number(isUnsigned(one)) - Number(isUnsigned(other)));
  const byName = new Map<string, DebianKernel>();
  for (const kernel of signedFirst) {
    const key = `${kernel.release} ${kernel.version}`;
    if (!byName.has(key)) byName.set(key, kernel);
  }
  return [...byName.values()];
}

/**
 * The kernels that the suites' metapackages lead to. "trixie" is the kernel of an updated machine, including its
 * security updates.
 */
function currentKernels(
  packages: Map<string, Package>,
  kernels: readonly DebianKernel[],
): { suite: string; kernel: DebianKernel }[] {
  const metas = [...packages.values()]
    .filter(({ name }) => name === metapackage)
    .sort((one, other) => compareVersions(one.version, other.version));
  return suites.flatMap((suite) => {
    const counted = [suite, `${suite}-security`];
    const own = metas.filter((meta) => meta.suites.some((name) => counted.includes(name)));
    const led = own.flatMap(({ depends }) =>
      kernels.filter(({ release, version }) => depends.get(`linux-image-${release}`) === version),
    );
    const kernel = led.at(-1);
    return kernel ? [{ suite, kernel }] : [];
  });
}
