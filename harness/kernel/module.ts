/** How a kernel carries a driver: as a loaded module, or built in. */
import type { NetworkStack } from '../remote/network-stack.js';

export type ModuleState = 'loaded module' | 'built in' | 'not loaded';

/**
 * Looks for a driver as the articles do, by `lsmod`, whose source is /proc/modules. A driver that is built in is not
 * listed there; it may have a folder below /sys/module, and is in the kernel's list of built-in modules where there is one.
 */
export async function moduleState(stack: NetworkStack, name: string): Promise<ModuleState> {
  const script = `grep -q "^${name} " /proc/modules && exit 0
[ -d /sys/module/${name} ] || grep -q "/${name}\\.ko$" "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null || exit 2
exit 1`;
  const { status } = await stack.run(['sh', '-c', script], 'reading');
  if (status === 0) return 'loaded module';
  return status === 1 ? 'built in' : 'not loaded';
}

/** A kernel release as numbers that can be compared: "6.1.0-31-amd64" is [6, 1, 0]. */
export function releaseNumbers(release: string): number[] {
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
