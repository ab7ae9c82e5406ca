/** The clocks of a lab's machines, where these are not this machine's own. */
import { measureClock } from '../remote/clock.js';
import type { Host, Machines } from './driver.js';

/** Measures each machine's clock against ours. @returns the longest that a command takes there and back, in milliseconds */
export async function setClocks(hosts: readonly Host[], nodes: Machines['nodes']): Promise<number> {
  const measured = await Promise.all(
    hosts.map(async (host) => {
      const { roundTrip, ...clock } = await measureClock(host.session);
      for (const session of [host.session, ...host.nodes.flatMap((node) => nodes[node] ?? [])]) session.clock = clock;
      return roundTrip;
    }),
  );
  return Math.max(...measured);
}
