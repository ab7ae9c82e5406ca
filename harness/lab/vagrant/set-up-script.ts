/** What is done on a machine before nodes are on it. */
import { lifeline, type LifelineScript } from '../lifeline.js';
import type { LabKeys } from '../sshd.js';
import type { NodeName } from '../topology.js';

export interface SetUp {
  /** The machine's name. */
  name: string;
  keys: LabKeys;
  /** The nodes on it: namespaces, all of them. */
  nodes: readonly NodeName[];
  /** The cards at its cables' ends, and the node that each is of. */
  cards: readonly { node: NodeName; mac: string }[];
}

/** When the lab has ended, its cards come back, and what `vagrant up` had made of them is made again. */
export function machineLifeline(): string[] {
  return lifeline(
    'set -- $(cat /etc/macvlab/role 2>/dev/null); [ $# = 0 ] || exec /usr/local/sbin/macvlab-network "$@" >/dev/null',
  );
}

/** The script moves the cards into their nodes. */
export function setUpScript({ name, keys, nodes, cards }: SetUp): LifelineScript {
  return { name, keys, namespaces: nodes, more: cards.flatMap(moveCard) };
}

function moveCard({ node, mac }: SetUp['cards'][number]): string[] {
  return [
    // A bridge has the address of one of its ports, and no device behind it.
    'card=',
    `for each in /sys/class/net/*; do [ ! -e "$each/device" ] || { read -r address <"$each/address"; [ "$address" != ${mac} ] || card=\${each##*/}; }; done`,
    `[ -n "$card" ] || { echo "no network card has the address ${mac}" >&2; exit 1; }`,
    'ip address flush dev "$card"',
    'ip link set dev "$card" nomaster down',
    `ip link set dev "$card" netns ${node}`,
  ];
}
