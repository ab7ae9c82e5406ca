/** The options of a kernel's config that the VM lab needs, each with its purpose. */

export interface ConfigNeed {
  /** Without its `CONFIG_`. */
  option: string;
  /** Its purpose, as printed after the option in an error. */
  why: string;
  /** Without it no guest boots, or no guest with cables to others, or some experiments are skipped. */
  for: 'guest' | 'three guests' | 'experiments';
  /** `y` when a module comes too late: the option is needed before the initramfs can load one. Also for options that cannot be modules. */
  as?: 'y';
  /** The option that replaces it in newer kernels. */
  newer?: string;
  /** Menus and other options that must be on for this option to exist. */
  under?: readonly string[];
}

/** Found by removing one option after another and booting the result (docs/kernels.md explains how). */
export const configNeeds: readonly ConfigNeed[] = [
  { option: '64BIT', why: 'the guests’ programs are 64-bit ones', for: 'guest', as: 'y' },
  { option: 'PRINTK', why: 'the kernel’s own words, which tell of a panic', for: 'guest', as: 'y' },
  { option: 'TTY', why: 'consoles', for: 'guest', as: 'y' },
  { option: 'SERIAL_8250', why: 'the serial port of the console', for: 'guest', as: 'y' },
  { option: 'SERIAL_8250_CONSOLE', why: 'the console that is kept as evidence', for: 'guest', as: 'y' },
  { option: 'BLK_DEV_INITRD', why: 'the initramfs', for: 'guest', as: 'y' },
  { option: 'BINFMT_ELF', why: 'programs', for: 'guest', as: 'y' },
  { option: 'BINFMT_SCRIPT', why: 'the initramfs’ script', for: 'guest', as: 'y' },
  { option: 'PROC_FS', why: '/proc', for: 'guest', as: 'y' },
  {
    option: 'PROC_SYSCTL',
    newer: 'SYSCTL',
    why: '/proc/sys: forwarding, ARP and IPv6 settings',
    for: 'guest',
    as: 'y',
  },
  { option: 'SYSFS', why: '/sys: the names of serial ports', for: 'guest', as: 'y' },
  { option: 'DEVTMPFS', why: '/dev', for: 'guest', as: 'y' },
  { option: 'TMPFS', why: 'what a guest writes', for: 'guest', as: 'y', under: ['SHMEM'] },
  { option: 'UNIX98_PTYS', why: '/dev/pts: shells on a node', for: 'guest', as: 'y' },
  { option: 'MULTIUSER', why: 'sshd, which changes its user', for: 'guest', as: 'y' },
  { option: 'FUTEX', why: 'threads', for: 'guest', as: 'y' },
  { option: 'EVENTFD', why: 'tcpdump', for: 'guest', as: 'y' },
  { option: 'SIGNALFD', why: 'arping', for: 'guest', as: 'y' },
  { option: 'TIMERFD', why: 'arping', for: 'guest', as: 'y' },
  { option: 'POSIX_TIMERS', why: 'sshd and ping, which set timers', for: 'guest', as: 'y' },
  { option: 'PCI', why: 'the guest’s devices', for: 'guest', as: 'y' },
  { option: 'VIRTIO_PCI', why: 'the guest’s devices', for: 'guest', under: ['VIRTIO_MENU'] },
  { option: 'VIRTIO_BLK', why: 'the disk with the root image', for: 'guest', under: ['BLOCK', 'BLK_DEV'] },
  { option: 'VIRTIO_CONSOLE', why: 'the serial ports that SSH goes through', for: 'guest' },
  { option: 'SQUASHFS', why: 'the root image', for: 'guest', under: ['MISC_FILESYSTEMS'] },
  { option: 'SQUASHFS_ZLIB', why: 'the root image', for: 'guest', as: 'y' },
  { option: 'OVERLAY_FS', why: 'writing over the root image', for: 'guest' },
  { option: 'NET', why: 'networking', for: 'guest', as: 'y' },
  { option: 'UNIX', why: 'sshd’s own sockets', for: 'guest' },
  { option: 'INET', why: 'IPv4', for: 'guest', as: 'y' },
  { option: 'PACKET', why: 'tcpdump and arping', for: 'guest' },
  {
    option: 'NET_NS',
    why: 'nodes and endpoints, which are network namespaces',
    for: 'guest',
    as: 'y',
    under: ['NAMESPACES'],
  },
  { option: 'VETH', why: 'the cables within a guest', for: 'guest', under: ['NETDEVICES', 'NET_CORE'] },
  { option: 'BRIDGE', why: 'the switch', for: 'guest' },
  { option: 'MACVLAN', why: 'what all this is about', for: 'guest', under: ['NETDEVICES', 'NET_CORE'] },
  { option: 'VIRTIO_NET', why: 'the cables between guests', for: 'three guests', under: ['NETDEVICES', 'NET_CORE'] },
  { option: 'IPV6', why: 'experiments with IPv6', for: 'experiments' },
  { option: 'IP_MULTICAST', why: 'experiments that join an IPv4 group', for: 'experiments', as: 'y' },
  { option: 'VLAN_8021Q', why: 'experiments with VLANs', for: 'experiments' },
  { option: 'BRIDGE_VLAN_FILTERING', why: 'a switch with VLANs', for: 'experiments', as: 'y' },
  { option: 'MACVTAP', why: 'experiments with macvtap', for: 'experiments' },
  { option: 'IPVLAN', why: 'comparisons with ipvlan', for: 'experiments' },
  { option: 'BONDING', why: 'experiments with a bond as parent', for: 'experiments' },
];
