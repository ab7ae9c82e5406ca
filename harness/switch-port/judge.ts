/**
 * Rules that turn observations into answers, in the order in which they are tried. The first rules are for conditions
 * that make all else worthless, the next for returned frames, the last for none. docs/validate-switch-rules.md has them
 * as a table.
 */
import { inSegment, type SegmentAnswer } from './answer.js';
import { evidenceOf } from './evidence.js';
import type { ClassObservation, SegmentObservation } from './observation.js';
import { floodedFrom, loopFrom } from './flood.js';
import { isHarmless, remarksOf } from './remarks.js';
import { nicFilter, nothing } from './silence.js';
import { answeredBy, type Beside, cannotTell, childrenOf, macLimitAdvice, type Verdict } from './verdict.js';

/** Judges one VLAN of a port. */
export function judge(observation: SegmentObservation, beside: Beside): SegmentAnswer {
  const rules = [gone, tooMuch, worthless, something, nothing];
  for (const rule of rules) {
    const verdict = rule(observation, beside);
    if (verdict) {
      const { vlan } = observation;
      return { vlan, ...verdict, remarks: remarksOf(observation), evidence: evidenceOf(observation) };
    }
  }
  throw new TypeError('no rule has an answer');
}

/** The port is down. */
function gone({ carrier }: SegmentObservation): Verdict | undefined {
  if (carrier) return undefined;
  return cannotTell(
    'port down',
    'the port went down while it was asked',
    'Look at the switch’s log: port security that shuts a port down on a second MAC address does this; clear the error on the port and allow at least 3 addresses.',
  );
}

/** A condition in which a missing frame means nothing. */
function worthless({ lost }: SegmentObservation): Verdict | undefined {
  if (lost === undefined) return undefined;
  return cannotTell(
    'frames lost by a capture',
    `a capture lost frames (${lost})`,
    'Ask again when the host is less busy: a frame that was not seen proves nothing now.',
  );
}

/** More frames returned than any switch that reflects would send. */
function tooMuch({ classes, controls, vlan, received }: SegmentObservation): Verdict | undefined {
  if (received > loopFrom || (classes.length === 0 && received > floodedFrom)) {
    return cannotTell(
      'a loop or a mirror',
      `${received} frames came back for the few that were sent: a loop`,
      'Find the loop at once (two ports joined by a cable, spanning tree turned off): frames go round in it for good, and everybody on the segment gets them.',
    );
  }
  const many = classes.filter(({ copies, sent }) => copies > sent);
  if (many.length > 0) {
    const most = Math.max(...many.map(({ copies, sent }) => Math.ceil(copies / sent)));
    return cannotTell(
      'a loop or a mirror',
      `up to ${most} copies of one frame come back: a loop or a mirror behind the port`,
      `Look for a loop, a port mirror to this port, or two bridges in parallel ${inSegment(vlan)} (MAC addresses that move between ports in the switch’s log): children would get frames twice, and whether the port itself reflects can only be told without it.`,
    );
  }
  const mirrored = controls.filter(({ returned }) => returned > 0);
  if (mirrored.length === 0) return undefined;
  return cannotTell(
    'a loop or a mirror',
    'even frames for others come back: a mirror, a hub, or a switch that does not learn addresses',
    'Look for a port mirror to this port, a hub, or a switch with learning turned off: a port that reflects sends back what is for its own addresses, groups and everybody, but not what is for a neighbour elsewhere.',
  );
}

/** Frames returned. */
function something({ classes, controls, vlan }: SegmentObservation): Verdict | undefined {
  const tried = classes.filter(({ sent }) => sent > 0);
  const back = tried.filter(({ returned }) => returned > 0);
  if (back.length === 0) return undefined;
  const { silent, heard } = childrenOf(controls);
  if (silent.length > 0 && heard.length > 0) {
    return {
      kind: 'reflects only',
      what: `for ${heard.join()}: the port takes no frames of ${silent.join()} (MAC limit or port security)`,
      cause: 'MAC limit',
      advice: macLimitAdvice,
    };
  }
  const partly = back.filter(({ returned, sent }) => returned < sent);
  if (partly.length > 0) {
    const counts = partly.map(({ class: name, returned, sent }) => `${returned} of ${sent} ${name}`).join(', ');
    return {
      kind: 'reflects only',
      what: `some frames (${counts}): storm control, another limit of rate, or loss`,
      cause: 'storm control',
      advice: `Raise or remove the port’s storm control for these classes ${inSegment(vlan)}, or look for errors on the cable; then ask again.`,
    };
  }
  if (silent.length > 0 && answeredBy(controls, 'promiscuous')) {
    return { ...nicFilter, kind: 'reflects only', what: `to a NIC that is promiscuous (${list(back)})` };
  }
  const changed = back.filter(({ changes }) => changes.some((change) => !isHarmless(change)));
  if (changed.length > 0) {
    const changes = new Set(changed.flatMap((each) => each.changes.filter((change) => !isHarmless(change))));
    return {
      kind: 'reflects only',
      what: `changed frames (${[...changes].join('; ')})`,
      advice: `Find out what changes frames on their way back ${inSegment(vlan)}: VLAN translation, a native VLAN or a router in between.`,
    };
  }
  const missing = tried.filter(({ returned }) => returned === 0);
  if (missing.length === 0 && !isLearnedUntried(classes)) return { kind: 'reflects', advice: reflectsAdvice };
  if (missing.length === 0) return { kind: 'reflects only', what: list(back), advice: untriedAdvice };
  const isSecondCable = missing.length === 1 && missing[0]?.class === 'unicast to a learned address';
  return {
    kind: 'reflects only',
    what: list(back),
    advice: isSecondCable
      ? `Look for a second cable from the host to the switch that the switch does not know to belong to this one (a bond without LACP): it brings back what is flooded ${inSegment(vlan)}, and no more.`
      : `Find out what keeps ${list(missing)} from going back out of this port: ${missingAdvice(missing)}; children can use what works only in part.`,
  };
}

/** Whether the most common class between siblings was not tried. Without it, a second link that returns flooded frames looks like reflection. */
function isLearnedUntried(classes: readonly ClassObservation[]): boolean {
  return classes.some(({ class: name, skipped }) => name === 'unicast to a learned address' && skipped !== undefined);
}

const untriedAdvice =
  'Unicast to a learned address was not tried. Run it again with --max-macs 2 where the port allows two more MAC addresses: until then, this may also be a second cable that brings back what is flooded.';

const reflectsAdvice =
  'Nothing needs to be done: children in mode vepa on this port reach each other through the switch.';

function missingAdvice(missing: readonly ClassObservation[]): string {
  const names = new Set(missing.map(({ class: name }) => name));
  const isMulti = names.has('IPv4 multicast') || names.has('IPv6 neighbour solicitation');
  const reasons = [
    names.has('broadcast') && 'broadcast flooding or storm control of the port',
    isMulti && 'multicast flooding, IGMP and MLD snooping',
    names.has('unicast to an unknown address') && 'flooding of unknown unicast',
    names.has('unicast to a learned address') && 'filters by MAC address on the way out',
  ];
  return reasons.filter(Boolean).join('; ');
}

function list(classes: readonly ClassObservation[]): string {
  const names = classes.map(({ class: name }) => name);
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}
