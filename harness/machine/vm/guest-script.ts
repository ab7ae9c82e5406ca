/** The scripts that a guest's init runs: sshd's files and the nodes' namespaces first, then an sshd for each serial port. */
import { type LabKeys, etcFiles, labFolder, sshdCommand, sshdFilesScript } from '../../remote/sshd.js';
import { renewalScript } from '../qemu/renewal.js';
import type { NodeName } from '../topology.js';

export interface GuestLayout {
  /** Nodes that are namespaces in the guest. */
  namespaces: readonly NodeName[];
  /** Whether it has NICs. Then the script loads their driver, because a guest has no udev. */
  cards: boolean;
  /** Whether its second disk holds the container engines' programs. */
  engines: boolean;
}

/** What a guest gets for one lab only. */
export interface GuestIdentity {
  name: string;
  keys: LabKeys;
}

/** The folder of the container engines' programs in a guest. */
export const guestEngines = `${labFolder}/engines`;

export interface GuestServers {
  /** Ports with an sshd, each with its namespace; undefined for the guest's own network stack. */
  sessions: ReadonlyMap<string, NodeName | undefined>;
  /** Slots (see slots.ts), each with the port whose sshd command it runs. */
  slots: ReadonlyMap<string, string>;
}

/** Lines of a shell script with the common part of all guests with these nodes: it is also part of a saved state. */
export function commonScript({ namespaces, cards, engines }: GuestLayout): string[] {
  return [
    // Errors are printed on the console, and end the guest: init has no further script.
    'set -e',
    'umask 022',
    `mkdir -p ${labFolder}`,
    ...(cards ? ['modprobe -q virtio_net'] : []),
    ...(engines ? [`mkdir -p ${guestEngines}`, `mount -t squashfs -o ro /dev/vdb ${guestEngines}`] : []),
    'mkdir -p /run/netns',
    ipBatch(['link set lo up', ...namespaces.map((node) => `netns add ${node}`)]),
  ];
}

/** Lines of a shell script that gives a guest its name and keys. */
export function identityScript({ name, keys }: GuestIdentity): string[] {
  return [
    ...sshdFilesScript(keys),
    `ln -sf ${etcFiles.map((file) => `${labFolder}/${file}`).join(' ')} /etc/`,
    `echo ${name} >/proc/sys/kernel/hostname`,
  ];
}

/**
 * Lines of a shell script for a guest that has resumed, before it gets its keys: all guests of its saved state have the
 * same random numbers, time and MAC addresses.
 * @param now microseconds since the epoch
 * @param macs of its NICs, in their order on the command line of QEMU
 */
export function resumedScript(now: number, macs: readonly string[]): string[] {
  const addresses = macs.map((mac, index) => `link set eth${index} address ${mac}`);
  return [...renewalScript(now, `${labFolder}/renewal`), ...(addresses.length === 0 ? [] : [ipBatch(addresses)])];
}

/**
 * Lines of a shell script that read the programs of a lab's first seconds into the guest's memory, and load the modules
 * that wiring would load. They are only for a saved state, where they cost nothing later.
 */
export function warmingScript(): string[] {
  return [
    'modprobe -a -q veth bridge || :',
    'cat /usr/sbin/sshd /usr/lib/openssh/sshd-* /usr/bin/ip /usr/sbin/bridge /usr/bin/nsenter /usr/bin/dash >/dev/null || :',
    'cat /usr/lib/x86_64-linux-gnu/*.so* >/dev/null || :',
  ];
}

function ipBatch(commands: readonly string[]): string {
  return `ip -batch - <<'END OF FILE'\n${commands.join('\n')}\nEND OF FILE`;
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

/** Opens a port, which is possible only once (drivers/char/virtio_console.c, port_fops_open). */
function opened(port: string): string {
  return `exec 9<>/run/port.${port};`;
}

/**
 * An sshd between two programs that read and write the port with blocking calls. sshd itself would wait in poll(2),
 * which sometimes does not return when data has arrived (docs/decisions/0006). A write to a slot blocks until a client
 * has connected; a read would return end of file at once. A server may send other lines before its version string (RFC
 * 4253, 4.2).
 */
function relayed(server: string): string {
  return `cat <&9 9<&- | ${server} 2>/dev/console 9<&- | cat >&9 9<&-`;
}
