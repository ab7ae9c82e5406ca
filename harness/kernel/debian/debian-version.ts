/** Debian's order of versions: deb-version(7), and verrevcmp() in dpkg's lib/dpkg/version.c. */

/** Compares two versions, for `sort`: "6.12.117-1~deb12u1" comes before "6.12.117-1". */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [parts(one), parts(other)];
  return compareNumbers(a.epoch, b.epoch) || comparePart(a.upstream, b.upstream) || comparePart(a.revision, b.revision);
}

/** The kernel's own version in a package's: "7.3~rc7-1~exp1" is "7.3-rc7". */
export function upstreamOf(version: string): string {
  return parts(version).upstream.replace('~', '-');
}

function parts(version: string): { epoch: string; upstream: string; revision: string } {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/.exec(version) ?? [];
  const dash = rest.lastIndexOf('-');
  if (dash < 0) return { epoch, upstream: rest, revision: '' };
  return { epoch, upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) };
}

/** Compares sequences of text and of digits in turn. */
function comparePart(one: string, other: string): number {
  const [a, b] = [one, other].map((part) => [...part.matchAll(/(\D*)(\d*)/g)]);
  for (let index = 0; index < Math.max(a?.length ?? 0, b?.length ?? 0); index++) {
    const [, text = '', digits = ''] = a?.[index] ?? [];
    const [, otherText = '', otherDigits = ''] = b?.[index] ?? [];
    const order = compareText(text, otherText) || compareNumbers(digits, otherDigits);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers can have any number of digits; no digits count as 0. */
function compareNumbers(one: string, other: string): number {
  const [a, b] = [one, other].map((digits) => digits.replace(/^0+/, ''));
  if (a === undefined || b === undefined || a === b) return 0;
  return a.length - b.length || (a < b ? -1 : 1);
}

/** A tilde comes before everything, even the end; letters come before all other characters. */
function compareText(one: string, other: string): number {
  const weight = (character: string | undefined) => {
    if (character === '~') return -1;
    if (character === undefined) return 0;
    return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
  };
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const order = weight(one[index]) - weight(other[index]);
    if (order !== 0) return order;
  }
  return 0;
}
