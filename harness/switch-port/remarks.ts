/** Remarks to an answer: observations that are worth a look. */
import { controlLine } from './evidence.js';
import type { Control, SegmentObservation } from './observation.js';

/** Milliseconds above which a switch counts as slow. */
const slow = 100;

/** The remarks, one per line. */
export function remarksOf(observation: SegmentObservation): string[] {
  return [
    ...heldBack(observation),
    ...slowness(observation),
    ...unanswered(observation),
    ...changed(observation),
    ...observation.classes
      .filter(({ returned, delivered }) => returned > 0 && delivered === 0)
      .map(({ class: name }) => `${name} comes back to the NIC, and the child is not given it: look at the host`),
    ...observation.classes
      .filter(({ skipped }) => skipped !== undefined)
      .map(({ class: name, skipped }) => `${name} was not tried: ${skipped}`),
    ...observation.controls.filter((control) => control.way !== 'usual' && isAnswer(control)).map(controlLine),
  ];
}

/** Whether this change loses no frames: switches mark frames with priorities of their own. */
export function isHarmless(change: string): boolean {
  return change.startsWith('priority');
}

function heldBack({ waited, bpdus, controls }: SegmentObservation): string[] {
  if (waited === 0 || !controls.some((control) => control.way === 'usual' && isAnswer(control))) return [];
  const seconds = Math.round(waited / 1000);
  const why =
    bpdus > 0
      ? 'spanning tree (listening, learning); make it an edge port (PortFast)'
      : 'the port had come up just before, or the one that answers was asleep';
  return [`nothing was answered for the first ${seconds} s: ${why}`];
}

function slowness({ controls }: SegmentObservation): string[] {
  const slowest = Math.max(0, ...controls.map(({ roundTrip = 0 }) => roundTrip));
  return slowest > slow ? [`answers take up to ${Math.round(slowest)} ms; all was waited for in proportion`] : [];
}

/** One of gateway and peer replies, the other does not. */
function unanswered({ controls }: SegmentObservation): string[] {
  const asked = new Map(controls.filter(({ from }) => from !== 'peer').map(({ to, address }) => [to, address]));
  const silent = [...asked].filter(([to]) => !controls.some((each) => each.to === to && isAnswer(each)));
  const isPeerIn = controls.some((control) => control.from === 'peer' && isAnswer(control));
  if (silent.length === asked.size || isPeerIn) return [];
  return silent.map(
    ([to, address]) =>
      `the ${to} ${address} answers nobody: it is not on this segment, or its port and this one are isolated from each other`,
  );
}

function changed({ classes }: SegmentObservation): string[] {
  return classes.flatMap(({ class: name, changes }) =>
    changes.map((change) => `${name} comes back changed: ${change}`),
  );
}

function isAnswer({ answered }: Control): boolean {
  return answered !== 'no';
}
