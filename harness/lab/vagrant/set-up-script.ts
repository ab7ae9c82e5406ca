/** What is done on a machine before nodes are on it. */
import type { NodeName } from '../topology.js';
import { quoteArgument } from '../../remote/quote.js';
import { etcFiles, labFolder, type LabKeys, sshdFilesScript } from '../sshd.js';

export interface SetUp {
  /** The machine's name. */
  name: string;
  keys: LabKeys;
  /** The nodes on it: namespaces, all of them. */
  nodes: readonly NodeName[];
  /** The cards at its cables' ends, and the node that each is of. */
  cards: readonly { node: NodeName; mac: string }[];
}

/**
 * The command that a lab lives by on a machine: it performs the script that it reads, and then waits for the end of its input. When
 * that ends, for whatever reason, the kernel ends all processes of the lab and takes its namespaces with them (pid_namespaces(7)), the
 * cards come back, and what `vagrant up` had made of them is made again.
 */
export function lifeline(): string[] {
  const unshare = 'unshare --mount --uts --ipc --pid --fork --kill-child --propagation private -- sh -s';
  const again =
    'set -- $(cat /etc/macvlab/role 2>/dev/null); [ $# = 0 ] || exec /usr/local/sbin/macvlab-network "$@" >/dev/null';
  return ['sh', '-c', `trap '' HUP PIPE; ${unshare}; ${again}`];
}

/** What a machine says when it lacks programs. */
export const lacking = 'the machine lacks:';

const programs = ['ip', 'bridge', 'tcpdump', 'ping', 'arping', 'nsenter', 'unshare', 'mount', '/usr/sbin/sshd', 'grep'];

/** The script; its last line of output is "ready" with the process id of the lab's first process there, and the kernel's release. */
export function setUpScript({ name, keys, nodes, cards }: SetUp): string {
  return [
    'set -e',
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C',
    'read -r pid rest </proc/self/stat',
    'umask 022',
    'missing=',
    `for name in ${programs.join(' ')}; do command -v "$name" >/dev/null || missing="$missing $name"; done`,
    `[ -z "$missing" ] || { echo "${lacking}$missing" >&2; exit 1; }`,
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run',
    ...sshdFilesScript(keys),
    ...etcFiles.map((file) => `[ ! -e /etc/${file} ] || mount --bind ${labFolder}/${file} /etc/${file}`),
    // sshd performs the machine's /etc/ssh/sshrc in front of every command, and no setting keeps it from that.
    `[ ! -e /etc/ssh ] || mount --bind ${labFolder}/empty /etc/ssh`,
    `echo ${quoteArgument(name)} >/proc/sys/kernel/hostname`,
    ...nodes.flatMap((node) => [`ip netns add ${node}`, `ip -n ${node} link set dev lo up`]),
    ...cards.flatMap(({ node, mac }) => [
      // A bridge has the address of one of its ports, and no device behind it.
      'card=',
      `for each in /sys/class/net/*; do [ ! -e "$each/device" ] || { read -r address <"$each/address"; [ "$address" != ${mac} ] || card=\${each##*/}; }; done`,
      `[ -n "$card" ] || { echo "no network card has the address ${mac}" >&2; exit 1; }`,
      'ip address flush dev "$card"',
      'ip link set dev "$card" nomaster down',
      `ip link set dev "$card" netns ${node}`,
    ]),
    'echo "ready $pid $(uname -r)"',
    'if env --ignore-signal=CHLD true 2>/dev/null; then exec env --ignore-signal=CHLD cat >/dev/null; fi',
    'exec cat >/dev/null',
    '',
  ].join('\n');
}
