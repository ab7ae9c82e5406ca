/** Machines that a killed run has made and left. */
import { mayBeAlive } from '../owner.js';
import { readClaim, releaseClaim, vagrantEnd } from './claim.js';
import { destroyMachines } from './vagrant.js';

/**
 * Whether a run that is gone has left machines of this checkout, which are removed unless they are only to be looked for. Those that
 * it had found running are left alone.
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
