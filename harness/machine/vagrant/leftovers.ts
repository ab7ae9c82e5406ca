/** Removes the machines that a killed run has created and left. */
import { mayBeAlive } from '../detached/owner.js';
import { readClaim, releaseClaim, vagrantEnd } from './claim.js';
import { destroyMachines } from './destroy.js';

/**
 * Removes the machines of this checkout that an ended run has created and left; a dry run only looks for them. It does
 * not touch machines that the run had found.
 * @returns whether there were such machines
 * @throws MacvlabError VAGRANT_MISSING, VAGRANT_FAILED
 */
export async function clearMachines({ dryRun }: { dryRun: boolean }): Promise<boolean> {
  const claim = readClaim();
  if (!claim || mayBeAlive(claim)) return false;
  if (dryRun) return claim.made;
  if (claim.made) {
    await vagrantEnd(claim);
    await destroyMachines({});
  }
  releaseClaim();
  return claim.made;
}
