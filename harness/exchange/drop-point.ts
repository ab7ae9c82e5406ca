/** The drop point of a frame as text for a reason. */
import type { View } from '../wire/capture-point.js';

/**
 * Where a frame was lost: "last seen at switch/node1 in, never at switch/node1 out". If the switch has no captures, the text names the NICs
 * at the other ends of its links.
 */
export function describeDropPoint(last: View, missing: View): string {
  const [left, [card, way]] = [last.near ?? last.label, (missing.near ?? missing.label).split(' ')];
  if (last.near !== undefined && left === `${card} out` && way === 'in') return `left ${card}, and never came back`;
  if (last.near !== undefined && missing.near !== undefined)
    return `left ${left.split(' ')[0]}, and never came to ${card}`;
  return `last seen at ${left}, never at ${[card, way].filter(Boolean).join(' ')}`;
}
