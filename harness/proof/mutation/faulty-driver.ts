/** A lab driver with faulty labs. Everything else comes from the wrapped driver. */
import type { Host, LabDriver } from '../../machine/driver.js';
import type { FaultInjector } from './fault-injector.js';

/** Wraps a driver whose lab is one machine with a namespace for each node. */
export function withFault(driver: LabDriver, injector: FaultInjector): LabDriver {
  return {
    ...driver,
    async open(topology, wire) {
      const faultyWire = async (hosts: readonly Host[]) => {
        for (const { session } of hosts) injector.arm(session);
        await wire(hosts);
        await injector.wired();
      };
      const machines = await driver.open(topology, faultyWire);
      for (const session of Object.values(machines.nodes)) injector.arm(session);
      const close = machines.close.bind(machines);
      machines.close = async () => {
        await injector.lookBehind();
        await close();
      };
      return machines;
    },
  };
}
