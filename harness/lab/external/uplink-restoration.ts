/** Restores a host's uplink, with all its settings, after a test has set it down. */
import { MacvlabError } from '../../core/error.js';
import { readLink } from '../../link/link-info.js';
import { readRestoration } from '../../link/restoration.js';
import type { NetworkStack } from '../../remote/network-stack.js';

/**
 * Reads the settings of an uplink, and records in the journal how to restore it. A network of the lab's own needs no
 * restoration: it is removed with the lab.
 * @returns a function that restores it, once
 * @throws LinkError
 */
export async function prepareRestoration(stack: NetworkStack, device: string): Promise<() => Promise<void>> {
  const { journal } = stack;
  if (!journal) return () => Promise.resolve();
  const commands = await readRestoration(stack, device);
  const settled = journal.note(commands);
  const perform = async () => {
    for (const argv of commands) stack.note(argv, 'undo');
    // The comparison of the host's state before and after detects what cannot be restored.
    await stack.session.batch(commands.map((argv) => ({ argv, mayFail: true })));
    settled();
  };
  let performed: Promise<void> | undefined;
  return () => (performed ??= perform());
}

/**
 * Makes sure that an uplink which was set down is still down. If this cut the host off, the host restores the uplink by
 * itself. Later observations then prove nothing.
 * @throws MacvlabError HOST_LOST
 */
export async function expectDown(stack: NetworkStack, device: string): Promise<void> {
  if (!stack.journal || !(await readLink(stack, device)).flags.includes('UP')) return;
  throw new MacvlabError(
    'HOST_LOST',
    `${stack.name} was cut off when its ${device} went down, and has brought it back`,
    {
      next: `reach ${stack.name} by another of its cards; without one, leave this experiment out (no --allow-disconnect)`,
    },
  );
}
