/** The container lab as a driver module. */
import { messageOf } from '../../core/error.js';
import type { DriverModule, Leftover } from '../driver-module.js';
import { attachContainer, type ContainerState, containerState, endContainer } from './attach.js';
import { containerDriver } from './container.js';
import { clearAway } from './leftovers.js';

export const driver: DriverModule<ContainerState> = {
  load: ({ mayBeDetached = false, ...rest }) => containerDriver({ ...rest, mayOutlive: mayBeDetached }),
  detached: { state: containerState, attach: attachContainer, end: endContainer },
  leftovers: async ({ dryRun }): Promise<Leftover[]> => {
    try {
      const removed = dryRun ? 'would be removed' : 'removed';
      const left = await clearAway({ dryRun });
      return left.map(({ name }) => ({ line: `container ${name} was left by a run that is gone: ${removed}` }));
    } catch (error) {
      return [{ trouble: `containers were not looked for: ${messageOf(error)}` }];
    }
  },
};
