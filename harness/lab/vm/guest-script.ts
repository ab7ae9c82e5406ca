/** What a guest's init performs at first: sshd's files, the nodes' namespaces, and an sshd behind each serial port. */
import { type LabKeys, etcFiles, labFolder, sshdCommand, sshdFilesScript } from '../sshd.js';
import type { NodeName } from '../topology.js';

export interface GuestScript {
  name: string;
  keys: LabKeys;
  /** Nodes that are namespaces in the guest. */
  namespaces: readonly NodeName[];
  /** Ports with an sshd behind, and the namespace that it is in; the guest's own network stack without one. */
  sessions: ReadonlyMap<string, NodeName | undefined>;
  /** Whether it has network cards, whose driver nobody else loads: there is no udev. */
  cards: boolean;
}

/** Lines of a shell script. A port is opened once, for reading and writing: a second time it would be busy (virtio_console.c). */
export function guestScript({ name, keys, namespaces, sessions, cards }: GuestScript): string[] {
  const server = [...sshdCommand(), '-i'].join(' ');
  return [
    // What fails is said on the console, and ends the guest: init is left without a script.
    'set -e',
    'umask 022',
    ...sshdFilesScript(keys),
    `ln -sf ${etcFiles.map((file) => `${labFolder}/${file}`).join(' ')} /etc/`,
    `echo ${name} >/proc/sys/kernel/hostname`,
    ...(cards ? ['modprobe -q virtio_net'] : []),
    `ip -batch - <<'END OF FILE'\n${['link set lo up', ...namespaces.map((node) => `netns add ${node}`)].join('\n')}\nEND OF FILE`,
    ...[...sessions].map(([port, namespace]) => {
      const enter = namespace === undefined ? '' : `nsenter --net=/run/netns/${namespace} -- `;
      return `(exec ${enter}${server} 0<>/run/port.${port} 1>&0 2>/dev/console) &`;
    }),
  ];
}
