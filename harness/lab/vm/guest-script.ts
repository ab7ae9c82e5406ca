/** What a guest's init performs: sshd's files and the nodes' namespaces at first, then an sshd behind each serial port. */
import { type LabKeys, etcFiles, labFolder, sshdCommand, sshdFilesScript } from '../sshd.js';
import type { NodeName } from '../topology.js';

export interface GuestScript {
  name: string;
  keys: LabKeys;
  /** Nodes that are namespaces in the guest. */
  namespaces: readonly NodeName[];
  /** Whether it has network cards, whose driver nobody else loads: there is no udev. */
  cards: boolean;
  /** Whether its second disk holds the container engines' programs. */
  engines: boolean;
}

/** Where a guest has the container engines' programs. */
export const guestEngines = `${labFolder}/engines`;

export interface GuestServers {
  /** Ports with an sshd behind, and the namespace that it is in; the guest's own network stack without one. */
  sessions: ReadonlyMap<string, NodeName | undefined>;
  /** Slots (see slots.ts), each with the port whose session it stands for. */
  slots: ReadonlyMap<string, string>;
}

/** Lines of a shell script that prepares a guest for its sshds. */
export function guestScript({ name, keys, namespaces, cards, engines }: GuestScript): string[] {
  return [
    // What fails is said on the console, and ends the guest: init is left without a script.
    'set -e',
    'umask 022',
    ...sshdFilesScript(keys),
    `ln -sf ${etcFiles.map((file) => `${labFolder}/${file}`).join(' ')} /etc/`,
    `echo ${name} >/proc/sys/kernel/hostname`,
    ...(cards ? ['modprobe -q virtio_net'] : []),
    ...(engines ? [`mkdir -p ${guestEngines}`, `mount -t squashfs -o ro /dev/vdb ${guestEngines}`] : []),
    `ip -batch - <<'END OF FILE'\n${['link set lo up', ...namespaces.map((node) => `netns add ${node}`)].join('\n')}\nEND OF FILE`,
  ];
}

/** Lines of a shell script that starts sshds. */
export function serverScript({ sessions, slots }: GuestServers): string[] {
  const sshd = (port: string) => {
    const namespace = sessions.get(port);
    const enter = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--'];
    return [...enter, ...sshdCommand(), '-i'].join(' ');
  };
  return [
    ...[...sessions.keys()].map((port) => `(${opened(port)} ${relayed(sshd(port))}) &`),
    ...[...slots].map(
      ([slot, port]) => `(${opened(slot)} while echo "macvlab ${port}" >&9; do ${relayed(sshd(port))}; done) &`,
    ),
  ];
}

/** Opens a port. That goes only once (drivers/char/virtio_console.c, port_fops_open). */
function opened(port: string): string {
  return `exec 9<>/run/port.${port};`;
}

/**
 * An sshd between two programs that read and write the port for it, and wait in doing so. sshd itself would wait in poll(2),
 * from which data that has arrived now and then does not wake it (docs/decisions/0006). Writing to a slot waits until somebody has
 * connected, while reading would be at its end at once; lines before its own are allowed to a server (RFC 4253, 4.2).
 */
function relayed(server: string): string {
  return `cat <&9 9<&- | ${server} 2>/dev/console 9<&- | cat >&9 9<&-`;
}
