/** Finds the experiments that an inventory's addresses have room for, before anything changes. */
import { AddressMap, type Taken } from '../../address-plan/address-map.js';
import { type ArticlePlan, articlePlans, planOf } from '../../address-plan/article-networks.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';
import { overlap } from '../../core/cidr.js';

/** A plan's networks and addresses, as they would be on the wire. */
export interface Room {
  plan: ArticlePlan;
  /** By the names in the article; a name maps to itself if it does not move. */
  places: Readonly<Record<string, string>>;
  /** Why the plan cannot run. */
  why?: string;
}

/**
 * Finds the place of each plan's networks; changes nothing.
 * @param addresses networks in CIDR form that may be used; undefined: the articles' own
 * @param taken networks that hosts need for something else
 * @param ids of the chosen experiments; all when left out
 */
export function roomFor(
  addresses: readonly string[] | undefined,
  taken: readonly Taken[],
  ids?: readonly string[],
): Room[] {
  const chosen = ids && new Set(ids.map(planOf));
  return articlePlans
    .filter((plan) => chosen?.has(plan) ?? true)
    .map((plan) => {
      const networks = plan.networks.map(({ network }) => network);
      const used = plan.networks.flatMap(({ network, hosts }) => [network, ...hosts]);
      const asWritten = Object.fromEntries(used.map((each) => [each, each]));
      if (!addresses) {
        const found = taken.find((each) => networks.some((network) => overlap(network, each.network)));
        return { plan, places: asWritten, ...(found && { why: `needs ${networks.join(', ')}, and ${found.by}` }) };
      }
      const map = new AddressMap(addresses, taken);
      try {
        map.claim(
          plan.networks.map(({ network, hosts: [first] }) => (first ? `${first}/${network.split('/')[1]}` : network)),
        );
        const moved = map.entries();
        const places = Object.fromEntries(used.map((each) => [each, moved[each] ?? each]));
        const fixed = plan.asWritten && Object.keys(moved).length > 0;
        return { plan, places, ...(fixed && { why: `writes whole frames, which need ${networks.join(', ')} itself` }) };
      } catch (error) {
        if (!(error instanceof MissingPrerequisite)) throw error;
        return { plan, places: {}, why: error.message };
      }
    });
}

/** "A1, A3": experiments, by the prefix of their ids. */
export function idsOf(rooms: readonly Room[]): string {
  return rooms.flatMap(({ plan }) => plan.experiments).join(', ');
}

/** One line for each reason: "A2, X6 cannot run: needs …". */
export function refusals(rooms: readonly Room[]): string[] {
  const reasons = [...new Set(rooms.flatMap(({ why }) => why ?? []))];
  return reasons.map((why) => `${idsOf(rooms.filter((room) => room.why === why))} cannot run: ${why}`);
}
