/** Rules for an observation without returned frames: its meaning depends on which requests got a reply. */
import type { Asker, SegmentObservation } from './observation.js';
import {
  answeredBy,
  type Beside,
  cannotTell,
  childrenOf,
  isAnswered,
  macLimitAdvice,
  type Verdict,
} from './verdict.js';

/** Unless it is promiscuous, the NIC accepts only frames for its own address. */
export const nicFilter: Verdict = cannotTell(
  'NIC filter',
  'the NIC gives children their frames only while it is promiscuous',
  'Set the NIC promiscuous (`ip link set dev NIC promisc on`), or in a hypervisor allow the guest further MAC addresses: its filter does not take those of the children.',
);

const hostFilter: Verdict = cannotTell(
  'host filter',
  'answers to the children arrive at the NIC, and the host does not hand them on',
  'Look for a packet filter of the host at this NIC (`nft list ruleset`, tc filters, XDP): it drops what is for the children’s addresses.',
);

/** Nothing returned: the meaning depends on which requests got a reply. */
export function nothing(observation: SegmentObservation, { portPasses }: Beside): Verdict {
  const { controls, vlan } = observation;
  if (controls.length === 0) {
    return cannotTell(
      'nobody to ask',
      'nothing came back, and nobody was named who must answer',
      'Name the segment’s router with --gateway, or a second host on it with --peer, so that silence means something.',
    );
  }
  const { silent, heard } = childrenOf(controls);
  if (silent.length === 0) return silence(observation);
  if (heard.length > 0) {
    return cannotTell(
      'MAC limit',
      `the port takes no frames of ${silent.join()}, though it does of the other: a MAC limit or port security`,
      macLimitAdvice,
    );
  }
  if (isAnswered(controls, 'NIC') || answeredBy(controls, 'direct')) return onlyTheNic(observation);
  return nobody(vlan, observation, portPasses);
}

/** All senders got replies, and nothing returned. */
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
  'Turn on reflective relay (IEEE 802.1Q-2014, formerly 802.1Qbg) for the port, on a Linux bridge `bridge link set dev PORT hairpin on`, or use mode bridge; a port that is isolated from itself looks the same, so that isolation has to be off as well.';

/** The host itself gets replies, and no child does. */
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

/** Not even the host itself gets a reply. */
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
