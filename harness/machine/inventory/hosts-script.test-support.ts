/** The shell scripts that create the hosts of hosts.test-support.ts: namespaces within namespaces, all on tmpfs. */
import { quoteArgument } from '../../remote/quote.js';

/** The hosts, and their places in the management network. The switch is a host as well, so that SSH can configure its bridge. */
export const hostPlaces = {
  h1: { address: '10.99.0.1', management: 'mgmt' },
  h2: { address: '10.99.0.2', management: 'mgmt' },
  h3: { address: '10.99.0.3', management: 'mgmt' },
  /** Reachable only through h3. */
  h4: { address: '10.99.1.4', management: 'h3' },
  switch: { address: '10.99.0.100', management: 'mgmt' },
} as const;

export type HostName = keyof typeof hostPlaces;

export const hostNames = Object.keys(hostPlaces) as HostName[];

/** The hosts with an eth1 on the switch. */
export const nodeHosts = hostNames.filter((name) => name !== 'switch');

const adminAddress = '10.99.0.254';

/** The fixed MAC address of a host's eth1, from a vendor's range, as real NICs have. */
export function macOf(name: HostName): string {
  return `00:16:3e:00:01:0${hostNames.indexOf(name) + 1}`;
}

const writeFile = (path: string, content: string) => `printf %s ${quoteArgument(content)} >${path}`;

/** The folder for the files of the outermost namespaces. */
export const runFolder = '/run/hosts';

const sshdConfig = `ListenAddress 0.0.0.0
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
MaxStartups 100
PidFile none
Subsystem sftp internal-sftp
`;

/** A host's files in /etc; its users are root and `ops`, without supplementary groups. */
const etc = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\nops:x:1000:1000::/home/ops:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n',
  group: 'root:x:0:\nops:x:1000:\nnogroup:x:65534:\n',
  shadow: 'root:*:19000:0:99999:7:::\nops:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n',
  'resolv.conf': 'nameserver 127.0.0.1\n',
  sudoers: 'root ALL=(ALL:ALL) ALL\nops ALL=(ALL:ALL) NOPASSWD: ALL\n',
  'ssh/sshd_config': sshdConfig,
};

/** A host's first process: it creates the host's files and becomes sshd, which adopts all orphans of the host. */
function hostScript(name: HostName, hostKey: string, authorized: string): string {
  return [
    'set -e',
    'umask 022',
    // the process id in the outer namespaces, because /proc is still theirs
    'read -r pid rest </proc/self/stat',
    `echo $pid >${runFolder}/${name}.pid`,
    `exec 2>>${runFolder}/${name}.log`,
    `mkdir ${runFolder}/${name}.etc`,
    `mount -t tmpfs -o mode=0755 tmpfs ${runFolder}/${name}.etc`,
    `cp -a /etc/. ${runFolder}/${name}.etc`,
    `mount --move ${runFolder}/${name}.etc /etc`,
    'rm -rf /etc/ssh /etc/sudoers.d /etc/sudoers && mkdir /etc/ssh',
    ...Object.entries({ ...etc, hostname: `${name}\n`, hosts: `127.0.0.1 localhost ${name}\n` }).map(
      ([file, content]) => writeFile(`/etc/${file}`, content),
    ),
    writeFile('/etc/ssh/ssh_host_ed25519_key', hostKey),
    'chmod 600 /etc/ssh/ssh_host_ed25519_key /etc/shadow && chmod 440 /etc/sudoers',
    // In one process. With another source than the outer mounts have, they do not count as mounted.
    ': >/etc/fstab',
    ...writeFstab(name),
    'mount -a',
    'mkdir -p /run/sshd /run/lock /run/sudo /root/.ssh /home/ops/.ssh',
    writeFile('/root/.ssh/authorized_keys', authorized),
    'cp /root/.ssh/authorized_keys /home/ops/.ssh && chown -R 1000:1000 /home/ops && chmod 700 /root',
    `echo ${name} >/proc/sys/kernel/hostname`,
    // The disk belongs to this machine: a host must not change anything on it.
    'mount -o remount,bind,ro /',
    'exec /usr/sbin/sshd -D -E /run/sshd.log </dev/null >/run/host.log 2>&1',
  ].join('\n');
}

/** Lines that write a host's mounts besides /etc into a table (fstab(5)): those whose folder exists. */
function writeFstab(name: HostName): string[] {
  const tmpfs = {
    '/run': '0755',
    '/tmp': '1777',
    '/root': '0755',
    '/home': '0755',
    '/var/log': '0755',
    '/var/lib/sudo': '0755',
  };
  return [
    ...['/proc proc', '/sys sysfs'].map((mount) => [mount, 'nosuid,nodev,noexec']),
    ...Object.entries(tmpfs).map(([folder, mode]) => [`${folder} tmpfs`, `mode=${mode}`]),
  ].map(([mount = '', options]) => `[ ! -d ${mount.split(' ')[0]} ] || echo ${name} ${mount} ${options} >>/etc/fstab`);
}

export interface HostsSettings {
  hostKeys: Readonly<Record<HostName, string>>;
  /** Public key lines that may log in. */
  authorized: string;
  /** Root's home folder on the admin's side, and an empty folder for /etc/ssh. */
  home: string;
  empty: string;
}

/** Runs lines in one process of iproute2, which ends with an error at the first line that fails. */
const batch = (ip: string, lines: readonly string[]) =>
  `printf '%s\\n' ${lines.map(quoteArgument).join(' ')} | ${ip} -batch -`;

const withoutDad =
  'for file in /proc/sys/net/ipv6/conf/all/accept_dad /proc/sys/net/ipv6/conf/default/accept_dad; do [ ! -e $file ] || echo 0 >$file; done';

/** The script of the outermost first process. It prints "ready" and its process id when all hosts listen, and then waits. */
export function hostsScript({ hostKeys, authorized, home, empty }: HostsSettings): string {
  // unequal indexes: with equal ones, the kernel reports the carrier up to a second late (see link-identity.ts)
  const management = hostNames.flatMap((name) => {
    const port = `m-${name}`;
    const { management: place } = hostPlaces[name];
    const far = place === 'mgmt' ? `link set ${port} master mgmt up` : `link set ${port} netns ${place}`;
    return [`link add ${port} type veth peer name mgmt0 index 101 netns ${name}`, far];
  });
  const cables = nodeHosts.flatMap((name) => [
    `link add ${name} type veth peer name eth1 index 102 address ${macOf(name)} netns ${name}`,
    `link set ${name} master br0 up`,
  ]);
  const inHost = (name: HostName) => [
    'link set lo up',
    `address add ${hostPlaces[name].address}/24 dev mgmt0`,
    'link set mgmt0 up',
    ...(name === 'switch' ? [] : ['link set eth1 up']),
    ...hostNames
      .filter((other) => hostPlaces[other].management === name)
      .flatMap((other) => [`address add 10.99.1.3/24 dev m-${other}`, `link set m-${other} up`]),
    ...(name === 'h4' ? ['route add default via 10.99.1.3'] : []),
  ];
  const starts = hostNames.map((name) =>
    [
      `nsenter --net=/run/netns/${name} unshare --mount --uts --ipc --pid --fork --kill-child --propagation private`,
      `sh -c ${quoteArgument(hostScript(name, hostKeys[name], authorized))} </dev/null >/dev/null &`,
    ].join(' '),
  );
  return [
    'set -e',
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C',
    'read -r pid rest </proc/self/stat',
    'umask 022',
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mount -t tmpfs -o mode=0755 tmpfs /run',
    `mkdir -p /run/netns ${runFolder}`,
    // ssh takes root's home from here, and ignores HOME
    writeFile(
      `${runFolder}/passwd`,
      `root:x:0:0:root:${home}:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n`,
    ),
    `mount --bind ${runFolder}/passwd /etc/passwd`,
    `[ ! -e /etc/ssh ] || mount --bind ${quoteArgument(empty)} /etc/ssh`,
    'echo admin >/proc/sys/kernel/hostname',
    'ip link set lo up',
    batch('ip', [
      ...[...hostNames, 'admin'].map((name) => `netns add ${name}`),
      'link add mgmt type bridge mcast_snooping 0',
      'link set mgmt up',
      'link add m-admin type veth peer name mgmt0 index 101 netns admin',
      'link set m-admin master mgmt up',
    ]),
    // as on hosts that have been up for long: no duplicate address detection is pending
    ...hostNames.map((name) => `nsenter --net=/run/netns/${name} sh -c ${quoteArgument(withoutDad)}`),
    batch('ip -n switch', ['link add br0 type bridge mcast_snooping 0', 'link set br0 up']),
    batch('ip', management),
    batch('ip -n admin', ['link set lo up', `address add ${adminAddress}/24 dev mgmt0`, 'link set mgmt0 up']),
    batch('ip -n switch', cables),
    ...hostNames.map((name) => batch(`ip -n ${name}`, inHost(name))),
    ...starts,
    // 0016 is port 22, and 0A is the state of a listening socket
    ...hostNames.map(
      (name) =>
        `until { read -r host <${runFolder}/${name}.pid && grep -q ':0016 .* 0A ' /proc/$host/net/tcp; } 2>/dev/null; do sleep 0.1; done`,
    ),
    'echo "ready $pid"',
    'if env --ignore-signal=CHLD true 2>/dev/null; then exec env --ignore-signal=CHLD cat >/dev/null; fi',
    'exec cat >/dev/null',
    '',
  ].join('\n');
}
