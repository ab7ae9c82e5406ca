/** A lab driver whose labs are sabotaged; everything else about them is the driver's own. */
import type { Host, LabDriver } from '../lab/driver.js';
import type { Strike } from './strike.js';

/** Wraps a driver whose labs are one machine, with a namespace for each node. */
export function sabotaged(driver: LabDriver, strike: Strike): LabDriver {
  return {
    ...driver,
    async open(topology, wire) {
      const sabotagedWire = async (hosts: readonly Host[]) => {
        for (const { session } of hosts) strike.arm(session);
        await wire(hosts);
        await strike.wired();
      };
      const machines = await driver.open(topology, sabotagedWire);
      for (const session of Object.values(machines.nodes)) strike.arm(session);
      const close = machines.close.bind(machines);
      machines.close = async () => {
        await strike.lookBehind();
        await close();
      };
      return machines;
    },
  };
}
