/** What is done in a container before it is a machine of a lab. */
import type { NodeName } from '../topology.js';
import { etcFiles, labFolder, type LabKeys, sshdFilesScript } from '../sshd.js';

export interface SetupOptions {
  /** The lab's id. */
  lab: string;
  keys: LabKeys;
  /** Nodes that are namespaces in the container. */
  namespaces: readonly NodeName[];
}

/** Without these there is no lab; an image of somebody else's may lack them. */
const programs = [
  ...['ip', 'bridge', 'tcpdump', 'ping', 'arping', 'nsenter', 'unshare', 'mount', '/usr/sbin/sshd'],
  ...['cat', 'dd', 'base64', 'env', 'grep', 'mkdir', 'sed', 'sleep', 'stat', 'tc', 'ethtool'],
];

/** Programs that have namesakes with other options, and a word of their own version. */
const namesakes = { ip: 'iproute2', ping: 'iputils', arping: 'iputils' };

/** What a container says when its image lacks programs. */
export const lacking = 'the image lacks:';

/**
 * A folder that only the containers of a lab have. An engine that runs below a chroot may lead commands past the container, to
 * the machine's own root, whose /etc is not ours to write (seen with docker 26 and crun 1.21).
 */
export function markOf(lab: string): string {
  return `/.macvlab-${lab}`;
}

/**
 * A script for a container's shell. Its last line of output is "ready", and the shell's process id.
 *
 * /proc/sys is read-only in a container. What is below its net folder is the network namespace's own; only that is made
 * writable. The engine switches IPv6 off where a container has no network, and the kernel has it on.
 */
export function setupScript({ lab, keys, namespaces }: SetupOptions): string {
  const lines = ['link set lo up', ...namespaces.map((node) => `netns add ${node}`)];
  return [
    'set -e',
    'umask 022',
    `[ -d ${markOf(lab)} ] || { echo 'the engine has led us out of the container' >&2; exit 1; }`,
    'missing=',
    `for name in ${programs.join(' ')}; do command -v "$name" >/dev/null || missing="$missing $name"; done`,
    ...Object.entries(namesakes).map(
      ([name, word]) => `case $(${name} -V 2>&1) in *${word}*) ;; *) missing="$missing ${name}-of-${word}" ;; esac`,
    ),
    `[ -z "$missing" ] || { echo "${lacking}$missing" >&2; exit 1; }`,
    'if [ ! -w /proc/sys/net ]; then',
    'mount --bind /proc/sys/net /proc/sys/net',
    'mount -o remount,bind,rw /proc/sys/net',
    'fi',
    'for name in all default lo; do',
    'file=/proc/sys/net/ipv6/conf/$name/disable_ipv6',
    '[ ! -e "$file" ] || echo 0 >"$file"',
    'done',
    ...sshdFilesScript(keys),
    // Not replaced: the engine has mounted some of them.
    ...etcFiles.map((name) => `cat ${labFolder}/${name} >/etc/${name}`),
    // sshd would perform it in front of every command.
    'rm -f /etc/ssh/sshrc',
    `ip -batch - <<'END OF FILE'\n${lines.join('\n')}\nEND OF FILE`,
    'echo "ready $$"',
    '',
  ].join('\n');
}
