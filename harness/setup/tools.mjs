/** The programs that a lab needs on the machine that builds it. */
import { findProgram, thisMachine } from './machine.mjs';

export { findProgram } from './machine.mjs';
export { installCommand, installCommandWith, packageManagerNames } from './packages.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */

/**
 * @typedef {object} RequiredTool
 * @property {string} name the program
 * @property {string} purpose what a lab does with it
 */

/** @type {readonly RequiredTool[]} */
export const requiredTools = [
  { name: 'ip', purpose: 'makes links, addresses and namespaces, and reads them back as JSON' },
  { name: 'bridge', purpose: 'sets hairpin, VLANs and the forwarding table of the switch' },
  { name: 'tcpdump', purpose: 'watches the wire' },
  { name: 'ping', purpose: 'sends echo requests with a payload of our own' },
  { name: 'arping', purpose: 'asks for neighbours, and whether an address is taken' },
  { name: 'sshd', purpose: 'gives the harness a session on each node; no port listens' },
  { name: 'nsenter', purpose: 'enters the namespaces of a node' },
  { name: 'unshare', purpose: 'makes the private namespaces of the sandbox' },
  { name: 'mount', purpose: 'gives the sandbox its own /proc, /sys and /run' },
];

/**
 * Programs that only guests need: labs with the running kernel do not need them.
 * @type {readonly RequiredTool[]}
 */
export const guestTools = [
  { name: 'qemu-system-x86_64', purpose: 'runs the guests' },
  { name: 'apt-get', purpose: 'fetches kernels and the guests’ programs, verified; installs nothing' },
  { name: 'apt-cache', purpose: 'finds kernels in the archive' },
  { name: 'apt-config', purpose: 'tells the proxy that this machine’s apt uses' },
  { name: 'flock', purpose: 'keeps two runs from fetching the same at once' },
  { name: 'dpkg-deb', purpose: 'unpacks kernels and the guests’ programs' },
  { name: 'mksquashfs', purpose: 'packs the guests’ root image' },
  { name: 'depmod', purpose: 'indexes the modules that a guest can load' },
  { name: 'xz', purpose: 'unpacks the modules of newer kernels' },
];

/** The programs that make kernels and images for guests. QEMU is needed only when guests run. */
export const imageTools = guestTools.map(({ name }) => name).filter((name) => name !== 'qemu-system-x86_64');

/**
 * Programs that only the Vagrant lab's own tests need: Vagrant, and a libvirt that is started for them
 * (vagrant/with-libvirt).
 * @type {readonly RequiredTool[]}
 */
export const vagrantTools = [
  { name: 'vagrant', purpose: 'makes the machines of the Vagrantfile' },
  { name: 'ssh', purpose: 'is Vagrant’s way into them' },
  { name: 'ruby', purpose: 'evaluates the Vagrantfile in tests' },
  { name: 'libvirtd', purpose: 'runs the machines' },
  { name: 'virsh', purpose: 'tells whether libvirtd answers' },
  { name: 'dnsmasq', purpose: 'gives the machines their addresses' },
  { name: 'iptables', purpose: 'keeps the machines’ network to themselves' },
  { name: 'qemu-img', purpose: 'makes the box’s disk' },
];

/**
 * Programs that only the tests of real hosts need: these hosts are namespaces with an sshd each, reached by ssh.
 * @type {readonly RequiredTool[]}
 */
export const realHostTools = [
  { name: 'ssh', purpose: 'is the way to real hosts' },
  { name: 'sudo', purpose: 'makes a host’s user root, in tests' },
  { name: 'nft', purpose: 'makes switches of all kinds, in tests' },
];

/**
 * Programs that only mutation tests need, which break a lab's network and tools (harness/proof/mutation).
 * @type {readonly RequiredTool[]}
 */
export const auditTools = [
  { name: 'nft', purpose: 'loses, changes, doubles and misdirects frames' },
  { name: 'tc', purpose: 'delays frames' },
  { name: 'perl', purpose: 'lies in the place of a tool' },
];

/**
 * Programs that tests compare with. Tests that lack one of these are skipped, and nothing else needs them.
 * @type {readonly RequiredTool[]}
 */
export const oracleTools = [
  { name: 'tshark', purpose: 'decodes frames beside us, in tests' },
  { name: 'cpio', purpose: 'unpacks archives beside us, in tests' },
  { name: 'lzop', purpose: 'packs kernels, in tests' },
  { name: 'shellcheck', purpose: 'reads shell scripts, in tests' },
  { name: 'zstd', purpose: 'packs kernels and modules, in tests' },
  { name: 'lz4', purpose: 'packs kernels, in tests' },
  { name: 'bzip2', purpose: 'packs kernels, in tests' },
  { name: 'make', purpose: 'builds as a kernel tree does, in tests' },
  { name: 'gpg', purpose: 'signs an archive of Debian packages, in tests' },
  { name: 'gpg-agent', purpose: 'keeps the key of that archive, in tests' },
];

/** Programs that Debian installs with the packages above, or with its base system; and those that fetched the project. */
const comeWithThem = [
  'bash',
  'capinfos',
  'dpkg',
  'git',
  'gpgconf',
  'gpgv',
  'prlimit',
  'ruby',
  'script',
  'setpriv',
  'sh',
  'tar',
  'unsquashfs',
];

/** The names of all programs that tests may call: with CI=true, as root on Debian, all are installed. */
export const promisedTools = new Set([
  ...[requiredTools, guestTools, vagrantTools, realHostTools, auditTools, oracleTools].flat().map(({ name }) => name),
  ...comeWithThem,
]);

/**
 * Which of the required programs are missing.
 * @param {Machine} [machine]
 * @returns {RequiredTool[]}
 */
export function missingTools(machine = thisMachine()) {
  return requiredTools.filter(({ name }) => findProgram(name, machine.folders) === undefined);
}

/**
 * Which of the programs that guests need are missing.
 * @param {Machine} [machine]
 * @returns {RequiredTool[]}
 */
export function missingGuestTools(machine = thisMachine()) {
  return guestTools.filter(({ name }) => findProgram(name, machine.folders) === undefined);
}

/**
 * Which of the programs that the Vagrant lab's own tests need are missing.
 * @param {Machine} [machine]
 * @returns {RequiredTool[]}
 */
export function missingVagrantTools(machine = thisMachine()) {
  return vagrantTools.filter(({ name }) => findProgram(name, machine.folders) === undefined);
}

/**
 * Which of the programs that the tests of real hosts need are missing.
 * @param {Machine} [machine]
 * @returns {RequiredTool[]}
 */
export function missingRealHostTools(machine = thisMachine()) {
  return realHostTools.filter(({ name }) => findProgram(name, machine.folders) === undefined);
}

/**
 * Which of the programs that mutation tests need are missing.
 * @param {Machine} [machine]
 * @returns {RequiredTool[]}
 */
export function missingAuditTools(machine = thisMachine()) {
  return auditTools.filter(({ name }) => findProgram(name, machine.folders) === undefined);
}

/**
 * Which of the programs that tests compare with are missing.
 * @param {Machine} [machine]
 * @returns {RequiredTool[]}
 */
export function missingOracleTools(machine = thisMachine()) {
  return oracleTools.filter(({ name }) => findProgram(name, machine.folders) === undefined);
}
