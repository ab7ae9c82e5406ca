/** How a kernel carries a driver, and which release it is. */
import type { NetworkStack } from '../remote/network-stack.js';

/**
 * Whether a driver is a loaded module, looked up as the articles do, by `lsmod`, whose source is /proc/modules. A driver
 * that works and is not listed is built in; a kernel without modules has no such list at all.
 */
export async function isLoadedModule(stack: NetworkStack, name: string): Promise<boolean> {
  const { status } = await stack.run(['grep', '-qs', `^${name} `, '/proc/modules'], 'reading');
  return status === 0;
}

/** A kernel release as numbers that can be compared: "6.1.0-31-amd64" is [6, 1, 0]. */
function releaseNumbers(release: string): number[] {
  return (/^\d+(\.\d+)*/.exec(release)?.[0] ?? '').split('.').map(Number);
}

/** Whether a release is at least another: compares number by number. */
export function isAtLeast(release: string, least: string): boolean {
  const [have, want] = [releaseNumbers(release), releaseNumbers(least)];
  for (const [index, number] of want.entries()) {
    const own = have[index] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}
