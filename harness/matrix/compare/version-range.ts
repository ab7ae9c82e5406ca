/** Whether a kernel is in a range of upstream versions. */
import { Range, SemVer, minVersion } from 'semver';

/**
 * A kernel's version as semver has it: "7.3-rc10" is 7.3.0-rc.10, so that it comes after rc9. A suffix ("6.1.192-mine")
 * is ignored, because it does not show the features of the kernel.
 * @returns undefined if the text begins with no version
 */
export function kernelVersion(version: string): SemVer | undefined {
  const [, major, minor, patch = '0', candidate] =
    /^v?(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?(?:[-~]rc(\d{1,5}))?(?!\d)/.exec(version) ?? [];
  if (major === undefined) return undefined;
  const numbers = [major, minor, patch].map(Number).join('.');
  return new SemVer(candidate === undefined ? numbers : `${numbers}-rc.${Number(candidate)}`);
}

/**
 * Reads a range: ">=6.4" (from 6.4-rc1 on), ">=5.10 <6.1.119 || >=7.3-rc2".
 * @throws Error naming the mistake, also if no version can be in the range
 */
export function versionRange(text: string): Range {
  const full = text.replace(
    /(\d+)\.(\d+)(?:\.(\d+))?[-~]rc\.?(\d+)/g,
    (_, major: string, minor: string, patch = '0', candidate: string) => `${major}.${minor}.${patch}-rc.${candidate}`,
  );
  // semver reads an empty alternative as "any version", which is probably a mistake.
  if (full.split('||').some((part) => part.trim() === '')) throw new Error('a part of the range is empty');
  let range: Range;
  try {
    range = new Range(full, { includePrerelease: true });
  } catch {
    throw new Error('it is no range of versions');
  }
  if (minVersion(range) === null) throw new Error('no version can be in it');
  return range;
}

/** Whether a kernel is in a range; "unknown" if its version is unreadable. */
export function standing(version: string, range: string): 'in' | 'out' | 'unknown' {
  const kernel = kernelVersion(version);
  if (!kernel) return 'unknown';
  return versionRange(range).test(kernel) ? 'in' : 'out';
}
