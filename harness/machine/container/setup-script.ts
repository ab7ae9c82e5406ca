/** The script that turns a container into a machine of a lab. */
import type { NodeName } from '../topology.js';
import { etcFiles, labFolder, type LabKeys, sshdFilesScript } from '../../remote/sshd.js';

export interface SetupOptions {
  /** The lab's id. */
  lab: string;
  keys: LabKeys;
  /** Nodes that are namespaces in the container. */
  namespaces: readonly NodeName[];
}

/** The programs that a lab needs; the user's own image may lack some. */
const programs = [
  ...['ip', 'bridge', 'tcpdump', 'ping', 'arping', 'nsenter', 'unshare', 'mount', '/usr/sbin/sshd'],
  ...['cat', 'dd', 'base64', 'env', 'grep', 'mkdir', 'sed', 'sleep', 'stat', 'tc', 'ethtool'],
];

/** Programs that exist in several implementations, and a word in the version of the required one. */
const namesakes = { ip: 'iproute2', ping: 'iputils', arping: 'iputils' };

/** The error message of a container whose image lacks programs. */
export const lacking = 'the image lacks:';

/**
 * A folder that only the containers of a lab have. An engine in a chroot may run commands outside the container, in the
 * machine's own root (seen with docker 26 and crun 1.21). macvlab must not change the /etc of that root.
 */
export function markOf(lab: string): string {
  return `/.macvlab-${lab}`;
}

/**
 * A script for a container's shell. Its last line of output is "ready" and the shell's process id.
 *
 * /proc/sys is read-only in a container. Its net folder belongs to the container's network namespace, and the script
 * makes only this folder writable. The engine disables IPv6 in a container without a network; the kernel's default is
 * enabled.
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
    // Overwritten, not replaced: the engine has mounted some of them.
    ...etcFiles.map((name) => `cat ${labFolder}/${name} >/etc/${name}`),
    // sshd would run it before every command.
    'rm -f /etc/ssh/sshrc',
    `ip -batch - <<'END OF FILE'\n${lines.join('\n')}\nEND OF FILE`,
    'echo "ready $$"',
    '',
  ].join('\n');
}
