/** Observations as lines for human readers. */
import type { ClassObservation, Control, SegmentObservation } from './observation.js';

/** Everything on which an answer is based. */
export function evidenceOf({ controls, classes, bpdus, frames }: SegmentObservation): string[] {
  return [
    ...controls.map(controlLine),
    ...classes.map(classLine),
    ...(bpdus > 0 ? [`${bpdus} spanning tree messages seen`] : []),
    `${frames} frames sent`,
  ];
}

/** "child 1 asks the gateway 10.0.0.1: echo answered after 0.4 ms". */
export function controlLine(control: Control): string {
  const { from, to, address, answered, roundTrip, left, withheld = 0, atPeer, returned, way, when } = control;
  const how = { usual: '', direct: ' without a broadcast', promiscuous: ' with the NIC promiscuous' }[way];
  const took = roundTrip === undefined ? '' : ` after ${roundTrip.toFixed(roundTrip < 10 ? 1 : 0)} ms`;
  const what = answered === 'no' ? 'no answer' : `${answered} answered${took}`;
  const more = [
    left !== undefined && answered === 'no' && `${left} frames left the NIC`,
    withheld > 0 && `${withheld} answers came into the NIC, and the child was not given them`,
    atPeer !== undefined && answered === 'no' && `${atPeer} arrived at the peer`,
    returned > 0 && `${returned} came back`,
  ].filter(Boolean);
  const again = when === 'after' ? ' once more' : '';
  return [`${from} asks the ${to} ${address}${how}${again}: ${what}`, ...more].join(', ');
}

/** "broadcast: 3 sent, 3 came back, 3 given to the other child". */
function classLine({ class: name, sent, copies, delivered, atPeer, changes, skipped }: ClassObservation): string {
  if (skipped !== undefined) return `${name}: not tried, ${skipped}`;
  const parts = [
    `${name}: ${sent} sent`,
    copies === 0 ? 'none came back' : `${copies} came back ${changes.length > 0 ? 'changed' : 'unchanged'}`,
    ...(copies > 0 ? [`${delivered} given to the child`] : []),
    ...(atPeer === undefined ? [] : [`${atPeer} arrived at the peer`]),
  ];
  return parts.join(', ');
}
