/** How a kernel provides a driver. */
import type { NetworkStack } from '../remote/network-stack.js';

/**
 * Whether a driver is a loaded module, checked as in the articles with `lsmod`, which reads /proc/modules. A driver
 * that works and is not listed is built in. A kernel without modules has no such list.
 */
export async function isLoadedModule(stack: NetworkStack, name: string): Promise<boolean> {
  const { status } = await stack.run(['grep', '-qs', `^${name} `, '/proc/modules'], 'reading');
  return status === 0;
}
