/**
 * What observations mean. The rules stand in the order in which they are tried: what makes all else worthless first, then what came
 * back, then why nothing did. docs/validate-switch.md has them as a table.
 */
import { type Cause, inSegment, type SegmentAnswer } from './answer.js';
import { evidenceOf } from './evidence.js';
import type { Asker, ClassObservation, Control, SegmentObservation } from './observation.js';
import { floodedFrom, loopFrom } from './flood.js';
import { isHarmless, remarksOf } from './remarks.js';

/** What is known of the port beside one VLAN. */
export interface Beside {
  /** Another VLAN of the port passes frames. */
  portPasses: boolean;
}

type Verdict = Pick<SegmentAnswer, 'kind' | 'advice'> & { what?: string; cause?: Cause };

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

/** The port is no longer there. */
function gone({ carrier }: SegmentObservation): Verdict | undefined {
  if (carrier) return undefined;
  return cannotTell(
    'port down',
    'the port went down while it was asked',
    'Look at the switch’s log: port security that shuts a port down on a second MAC address does this; clear the error on the port and allow at least 3 addresses.',
  );
}

/** What makes all that was not seen worthless. */
function worthless({ lost }: SegmentObservation): Verdict | undefined {
  if (lost === undefined) return undefined;
  return cannotTell(
    'frames lost by a capture',
    `a capture lost frames (${lost})`,
    'Ask again when the host is less busy: a frame that was not seen proves nothing now.',
  );
}

/** More came back than any switch that reflects would send. */
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

/** Something came back. */
function something({ classes, controls, vlan }: SegmentObservation): Verdict | undefined {
  const tried = classes.filter(({ sent }) => sent > 0);
  const back = tried.filter(({ returned }) => returned > 0);
  if (back.length === 0) return undefined;
  const silent = silentChildren(controls);
  const [heard] = (['child 1', 'child 2'] as const).filter((child) => !silent.includes(child));
  if (silent.length === 1 && heard) {
    return {
      kind: 'reflects only',
      what: `for ${heard}: the port takes no frames of ${silent.join()} (MAC limit or port security)`,
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
  if (silent.length === 2 && answeredBy(controls, 'promiscuous')) {
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
  if (missing.length === 0) return { kind: 'reflects', advice: reflectsAdvice };
  const isSecondCable = missing.length === 1 && missing[0]?.class === 'unicast to a learned address';
  return {
    kind: 'reflects only',
    what: list(back),
    advice: isSecondCable
      ? `Look for a second cable from the host to the switch that the switch does not know to belong to this one (a bond without LACP): it brings back what is flooded ${inSegment(vlan)}, and no more.`
      : `Find out what keeps ${list(missing)} from going back out of this port: ${missingAdvice(missing)}; children can use what works only in part.`,
  };
}

const reflectsAdvice =
  'Nothing needs to be done: children in mode vepa on this port reach each other through the switch.';

const macLimitAdvice =
  'Raise the limit of MAC addresses on the port (`switchport port-security maximum` and the like) to one for the host and one for each child, or name the children’s addresses there.';

const nicFilter: Verdict = cannotTell(
  'NIC filter',
  'the NIC gives children their frames only while it is promiscuous',
  'Set the NIC promiscuous (`ip link set dev NIC promisc on`), or in a hypervisor allow the guest further MAC addresses: its filter does not take those of the children.',
);

const hostFilter: Verdict = cannotTell(
  'host filter',
  'answers to the children arrive at the NIC, and the host does not hand them on',
  'Look for a packet filter of the host at this NIC (`nft list ruleset`, tc filters, XDP): it drops what is for the children’s addresses.',
);

/** Nothing came back: whether that means anything depends on who was answered. */
function nothing(observation: SegmentObservation, { portPasses }: Beside): Verdict {
  const { controls, vlan } = observation;
  if (controls.length === 0) {
    return cannotTell(
      'nobody to ask',
      'nothing came back, and nobody was named who must answer',
      'Name the segment’s router with --gateway, or a second host on it with --peer, so that silence means something.',
    );
  }
  const silent = silentChildren(controls);
  if (silent.length === 0) return silence(observation);
  if (silent.length === 1) {
    return cannotTell(
      'MAC limit',
      `the port takes no frames of ${silent.join()}, though it does of the other: a MAC limit or port security`,
      macLimitAdvice,
    );
  }
  if (isAnswered(controls, 'NIC') || answeredBy(controls, 'direct')) return onlyTheNic(observation);
  return nobody(vlan, observation, portPasses);
}

/** Everybody was answered, and nothing came back. */
function silence({ controls, classes }: SegmentObservation): Verdict {
  const notBehind = controls.filter(({ when, answered }) => when === 'after' && answered === 'no');
  if (notBehind.length > 0) {
    return cannotTell(
      'storm control',
      'the port passes nothing any more since frames were sent: storm control or port security',
      'Look at the switch’s log for what it has done to the port, and ask again when it passes.',
    );
  }
  const toPeer = (from: Asker) => controls.filter((each) => each.to === 'peer' && each.from === from);
  const peerSees = classes.some(({ atPeer = 0 }) => atPeer > 0) || controls.some(({ atPeer = 0 }) => atPeer > 0);
  const isPeerIn = controls.some(({ from, answered }) => from === 'peer' && answered !== 'no');
  if (toPeer('child 1').length > 0 && !peerSees && isPeerIn) {
    return {
      kind: 'does not reflect',
      cause: 'port isolation',
      advice:
        'The port is isolated (protected, private VLAN): both hosts reach the gateway, and none of the other’s frames. Take the isolation away before reflective relay is tried: an isolated port does not send back to itself.',
    };
  }
  return { kind: 'does not reflect', advice: doesNotAdvice };
}

const doesNotAdvice =
  'Turn on reflective relay (802.1Qbg) for the port, on a Linux bridge `bridge link set dev PORT hairpin on`, or use mode bridge; a port that is isolated from itself looks the same, so that isolation has to be off as well.';

/** The host itself is answered, and no child is. */
function onlyTheNic({ controls }: SegmentObservation): Verdict {
  if (answeredBy(controls, 'promiscuous')) return nicFilter;
  if (controls.some(({ withheld = 0 }) => withheld > 0)) return hostFilter;
  if (answeredBy(controls, 'direct')) {
    return cannotTell(
      'storm control',
      'unicast frames of children are answered and broadcasts are not: storm control or ARP inspection',
      'Let broadcasts and ARP of the children’s addresses pass: look at storm control and at dynamic ARP inspection on the port.',
    );
  }
  const arrived = controls.some(({ from, atPeer = 0 }) => from.startsWith('child') && atPeer > 0);
  const where = arrived ? 'their frames go out, and answers to them do not come in' : 'none of theirs is answered';
  return cannotTell(
    'foreign MACs dropped',
    `only the NIC’s own MAC address passes, ${where}: a virtual switch that drops foreign addresses, port security or 802.1X`,
    'Allow further MAC addresses behind this port: forged transmits and promiscuous mode (VMware), MAC address spoofing (Hyper-V), no MAC filter (libvirt, cloud networks), port security or 802.1X per host instead of per address.',
  );
}

/** Not even the host itself is answered. */
function nobody(
  vlan: number | 'untagged',
  { bpdus, waited, controls }: SegmentObservation,
  portPasses: boolean,
): Verdict {
  const asked = [...new Set(controls.map(({ to, address }) => `the ${to} ${address}`))].join(' and ');
  const seconds = Math.round(waited / 1000);
  if (bpdus > 0 && !portPasses) {
    return cannotTell(
      'spanning tree',
      `nothing passes for ${seconds} s, and the switch speaks spanning tree: the port is blocked or still listens`,
      'Look at the port’s spanning tree state; make it an edge port (PortFast), or remove the second way that it is blocked for.',
    );
  }
  if (vlan !== 'untagged') {
    return cannotTell(
      'VLAN not allowed',
      `VLAN ${vlan} does not pass (not allowed on this port, or ${asked} is not in it)`,
      `Allow VLAN ${vlan} on the port, tagged, and look whether ${asked} is in it${portPasses ? ': another VLAN of the port does pass' : ''}.`,
    );
  }
  return cannotTell(
    'nobody answers',
    `${asked} answers nobody${bpdus > 0 ? '' : `, for ${seconds} s`}: not on this segment, untagged frames not allowed, or the port passes nothing`,
    `Look whether ${asked} is on the segment of the NIC, and whether the port takes untagged frames (native VLAN); name the VLANs with --vlans where it does not.`,
  );
}

/** The children whose frames nobody answered, as the host is. */
function silentChildren(controls: readonly Control[]): Asker[] {
  if (controls.length === 0) return [];
  return (['child 1', 'child 2'] as const).filter((child) => !isAnswered(controls, child));
}

/** Whether a child was answered when asking in a way that tells why it was not. */
function answeredBy(controls: readonly Control[], way: Control['way']): boolean {
  return controls.some((each) => each.way === way && each.from.startsWith('child') && each.answered !== 'no');
}

function isAnswered(controls: readonly Control[], from: Asker): boolean {
  return controls.some((each) => each.from === from && each.way === 'usual' && each.answered !== 'no');
}

function cannotTell(cause: Cause, what: string, advice: string): Verdict {
  return { kind: 'cannot tell', cause, what, advice };
}

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
