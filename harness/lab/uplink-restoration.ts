/** A host's own uplink that is taken down comes back with all that it had. */
import { MacvlabError } from '../core/error.js';
import { readLink } from '../link/link-info.js';
import { readRestoration } from '../link/restoration.js';
import type { NetworkStack } from '../remote/network-stack.js';

/**
 * Reads what an uplink has, and notes in the journal how it is put back. In a network of the lab's own nothing has to be: it goes
 * with the lab.
 * @returns puts it back, once
 * @throws LinkError
 */
export async function prepareRestoration(stack: NetworkStack, device: string): Promise<() => Promise<void>> {
  const { journal } = stack;
  if (!journal) return () => Promise.resolve();
  const commands = await readRestoration(stack, device);
  const settled = journal.note(commands);
  const perform = async () => {
    for (const argv of commands) stack.note(argv, 'undo');
    // What cannot be put back shows when the host is compared with how it was.
    await stack.session.batch(commands.map((argv) => ({ argv, mayFail: true })));
    settled();
  };
  let performed: Promise<void> | undefined;
  return () => (performed ??= perform());
}

/**
 * Makes sure that an uplink which was set down is down still: who has cut the way to the host that way is brought back by it, and
 * nothing that is seen then says anything.
 * @throws MacvlabError HOST_LOST
 */
export async function expectDown(stack: NetworkStack, device: string): Promise<void> {
  if (!stack.journal || !(await readLink(stack, device)).flags.includes('UP')) return;
  throw new MacvlabError(
    'HOST_LOST',
    `${stack.name} was cut off when its ${device} went down, and has brought it back`,
    {
      next: `reach ${stack.name} by another of its cards; without one, leave this experiment out (no --allow-cut)`,
    },
  );
}
