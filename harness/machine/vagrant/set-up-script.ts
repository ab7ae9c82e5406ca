/** The script that prepares a machine for its nodes. */
import { tether, type TetherScript } from '../../remote/tether.js';
import type { LabKeys } from '../../remote/sshd.js';
import type { NodeName } from '../topology.js';

export interface SetUp {
  /** The machine's name. */
  name: string;
  keys: LabKeys;
  /** The nodes on it: namespaces, all of them. */
  nodes: readonly NodeName[];
  /** The NICs at its cables' ends, each with its node. */
  cards: readonly { node: NodeName; mac: string }[];
}

/** The command that holds the lab. When the lab has ended, its NICs return, and the command repeats their setup from `vagrant up`. */
export function machineTether(): string[] {
  return tether(
    'set -- $(cat /etc/macvlab/role 2>/dev/null); [ $# = 0 ] || exec /usr/local/sbin/macvlab-network "$@" >/dev/null',
  );
}

/** The script that moves the NICs into their nodes. */
export function setUpScript({ name, keys, nodes, cards }: SetUp): TetherScript {
  return { name, keys, namespaces: nodes, more: cards.flatMap(moveCard) };
}

function moveCard({ node, mac }: SetUp['cards'][number]): string[] {
  return [
    // A bridge has the address of one of its ports, but no `device` link in sysfs.
    'card=',
    `for each in /sys/class/net/*; do [ ! -e "$each/device" ] || { read -r address <"$each/address"; [ "$address" != ${mac} ] || card=\${each##*/}; }; done`,
    `[ -n "$card" ] || { echo "no network card has the address ${mac}" >&2; exit 1; }`,
    'ip address flush dev "$card"',
    'ip link set dev "$card" nomaster down',
    `ip link set dev "$card" netns ${node}`,
  ];
}
