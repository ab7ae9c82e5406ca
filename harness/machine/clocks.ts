/** Measurement of the clocks of a lab's machines, for machines with their own clocks. */
import { watchTimeOfDay } from '../core/clock.js';
import type { ClockOffset } from '../remote/clock-offset.js';
import { measureClock } from '../remote/clock.js';
import type { Host, Machines } from './driver.js';

/** Milliseconds until a clock is measured again, because separate clocks drift. */
const longestTrust = 20_000;

/** Microseconds: the error of {@link watchTimeOfDay}. */
const errorOfMove = 2000;

/**
 * Measures the offset between each machine's clock and this machine's clock.
 * @param isFree whether nothing sets the machines' clocks: their offset follows this machine's time while that is corrected
 * @returns the clock part of a lab's machines
 */
export async function measuredClocks(
  hosts: readonly Host[],
  nodes: Machines['nodes'],
  isFree = false,
): Promise<Pick<Machines, 'roundTrip' | 'setClocks'>> {
  let isStale = () => true;
  const measureAll = async () => {
    const [moved, measuredAt] = [watchTimeOfDay(), performance.now()];
    const roundTrip = await measure(hosts, nodes, isFree);
    isStale = () => moved() !== 0 || performance.now() - measuredAt > longestTrust;
    return roundTrip;
  };
  const setClocks = async () => {
    if (isStale()) await measureAll();
  };
  return { roundTrip: await measureAll(), setClocks };
}

/** @returns the longest round-trip time of a command among the hosts, in milliseconds */
async function measure(hosts: readonly Host[], nodes: Machines['nodes'], isFree: boolean): Promise<number> {
  const measured = await Promise.all(
    hosts.map(async (host) => {
      const { roundTrip, ...measuredClock } = await measureClock(host.session);
      const clock = isFree ? followed(measuredClock) : measuredClock;
      for (const session of [host.session, ...host.nodes.flatMap((node) => nodes[node] ?? [])]) session.clock = clock;
      return roundTrip;
    }),
  );
  return Math.max(...measured);
}

/** An offset that follows this machine's time of day from now on. */
function followed({ ahead, error }: ClockOffset): ClockOffset {
  const moved = watchTimeOfDay();
  return {
    get ahead() {
      return ahead - Math.round(moved() * 1000);
    },
    error: error + errorOfMove,
  };
}
