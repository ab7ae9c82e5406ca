/** The sandbox as a driver module. */
import type { DriverModule } from '../driver-module.js';
import { attachSandbox, sandboxDriver, type SandboxState, sandboxState } from './sandbox.js';

export const driver: DriverModule<SandboxState> = {
  load: () => sandboxDriver,
  detached: { state: sandboxState, attach: attachSandbox },
};
