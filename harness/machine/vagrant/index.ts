/** The Vagrant driver as a module. */
import { formatError } from '../../core/error.js';
import type { DriverModule, Leftover } from '../driver-module.js';
import { attachVagrant, endVagrant, type VagrantState, vagrantState } from './attach.js';
import { clearMachines } from './leftovers.js';
import { vagrantDriver } from './vagrant.js';

export const driver: DriverModule<VagrantState> = {
  load: ({ mayBeDetached = false, ...rest }) => vagrantDriver({ ...rest, mayOutlive: mayBeDetached }),
  detached: { state: vagrantState, attach: attachVagrant, end: endVagrant },
  leftovers: async ({ dryRun }): Promise<Leftover[]> => {
    try {
      const removed = dryRun ? 'would be removed' : 'removed';
      const line = `the Vagrant machines of this checkout were left by a run that is gone: ${removed}`;
      return (await clearMachines({ dryRun })) ? [{ line }] : [];
    } catch (error) {
      return [{ trouble: `the Vagrant machines were not removed\n${formatError(error)}` }];
    }
  },
};
