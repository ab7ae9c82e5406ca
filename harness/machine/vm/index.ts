/** The vm lab as a driver module. */
import type { DriverModule } from '../driver-module.js';
import { attachVm, type VmState, vmState } from './attach.js';
import { vmDriver } from './vm.js';

export const driver: DriverModule<VmState> = {
  load: ({ guests = 3, mayBeDetached = false, ...rest }) => vmDriver({ ...rest, guests, mayOutlive: mayBeDetached }),
  detached: { state: vmState, attach: attachVm },
};
