/** Removes the Vagrant machines. */

import { machineStates, allAre } from './states.js';
import { vagrant } from './vagrant-program.js';

/** @throws MacvlabError VAGRANT_MISSING, VAGRANT_FAILED if machines are left */
export async function destroyMachines(environment: Record<string, string>): Promise<void> {
  try {
    await vagrant(['destroy', '--force'], { what: 'remove the machines', environment });
  } catch (error) {
    // Without machines, it may fail for the same reason as their creation.
    const left = await machineStates(environment).catch(() => undefined);
    if (!left || !allAre(left, 'not_created')) throw error;
  }
}
