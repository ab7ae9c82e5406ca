/** How a kernel carries a driver. */
import type { NetworkStack } from '../remote/network-stack.js';

/**
 * Whether a driver is a loaded module, looked up as the articles do, by `lsmod`, whose source is /proc/modules. A driver
 * that works and is not listed is built in; a kernel without modules has no such list at all.
 */
export async function isLoadedModule(stack: NetworkStack, name: string): Promise<boolean> {
  const { status } = await stack.run(['grep', '-qs', `^${name} `, '/proc/modules'], 'reading');
  return status === 0;
}
