/** The recipe for the root of a lab's machine: a guest's, or a container's. */

/** A recipe: everything that determines an image, except for the versions of its packages. */
export interface RootRecipe {
  suite: string;
  /** Named; each with all its dependencies. */
  packages: readonly string[];
  /** Packages that others depend on formally: for their configuration, or for functions that no guest uses. */
  leftOut: readonly string[];
  /** The folders and files of the packages to include; the rest is documentation and configuration. */
  kept: readonly string[];
  /** Exceptions from these, which are removed. */
  dropped: readonly string[];
  /** Empty folders, for mounts and written files. */
  folders: readonly string[];
  links: Readonly<Record<string, string>>;
  files: Readonly<Record<string, string>>;
  /** Commands that every lab needs. */
  commands: readonly string[];
}

export const rootRecipe: RootRecipe = {
  suite: 'trixie',
  packages: [
    ...['iproute2', 'ethtool', 'tcpdump', 'iputils-ping', 'iputils-arping'],
    ...['openssh-server', 'openssh-sftp-server'],
    ...['dash', 'busybox-static', 'util-linux', 'mount', 'kmod', 'procps', 'libc-bin'],
  ],
  leftOut: [
    ...['adduser', 'base-passwd', 'debconf', 'init-system-helpers', 'lsb-base', 'passwd', 'perl-base', 'ucf'],
    ...['libsystemd-shared', 'openssh-client', 'runit-helper', 'systemd', 'sysvinit-utils'],
  ],
  kept: [
    ...['usr/bin', 'usr/sbin', 'usr/lib64', 'usr/lib/x86_64-linux-gnu', 'usr/lib/openssh', 'usr/lib/sftp-server'],
    ...['usr/share/iproute2', 'etc/ld.so.conf', 'etc/ld.so.conf.d'],
  ],
  dropped: ['gconv', 'perl5', 'security'].map((name) => `usr/lib/x86_64-linux-gnu/${name}`),
  folders: [
    ...['dev', 'etc/ssh', 'mnt', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/lib/modules'],
    ...['var/empty', 'var/lib', 'var/log', 'var/tmp'],
  ],
  links: {
    bin: 'usr/bin',
    sbin: 'usr/sbin',
    lib: 'usr/lib',
    lib64: 'usr/lib64',
    'var/run': '/run',
    'etc/mtab': '/proc/self/mounts',
  },
  files: {
    'etc/passwd': [
      'root:*:0:0:root:/root:/bin/sh',
      'sshd:*:100:65534::/run/sshd:/usr/sbin/nologin',
      'nobody:*:65534:65534::/nonexistent:/usr/sbin/nologin',
      '',
    ].join('\n'),
    'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
    'etc/shadow': 'root:*:1::::::\nsshd:*:1::::::\nnobody:*:1::::::\n',
    'etc/nsswitch.conf': ['passwd', 'group', 'shadow', 'hosts', 'protocols', 'services']
      .map((name) => `${name}: files\n`)
      .join(''),
    'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
    // No name server runs there, so that a lookup fails at once. Before a login on a terminal, sshd looks its peer up,
    // and would wait for 5 s.
    'etc/resolv.conf': 'nameserver 127.0.0.1\n',
    'etc/fstab': '',
    'etc/machine-id': '',
  },
  commands: [
    ...['sh', 'busybox', 'ip', 'bridge', 'tc', 'ethtool', 'tcpdump', 'ping', 'arping', 'sshd', 'sysctl'],
    ...['modprobe', 'lsmod', 'rmmod', 'dmesg', 'mount', 'umount', 'nsenter', 'unshare', 'setpriv', 'setsid'],
    ...['adjtimex', 'cat', 'date', 'echo', 'env', 'grep', 'ls', 'mkdir', 'poweroff', 'sed', 'sleep', 'stat', 'test'],
    ...['true', 'uname', 'wc'],
  ],
};
