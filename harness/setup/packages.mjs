/** Package managers: the one of this machine, and its package names for the programs that a lab needs. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { findProgram, thisMachine } from './machine.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */

/**
 * @typedef {object} PackageManager
 * @property {string} program
 * @property {Record<string, string>} environment
 * @property {string[]} install arguments before the packages' names
 * @property {string[]} [trial] arguments before the packages' names that print what would be done, and do nothing
 * @property {string[]} [refresh] arguments that fetch the package lists, if the installation does not fetch them
 * @property {string} [lists] folder that holds those lists, which may be missing (as in Docker images)
 * @property {string} [installed] folder that is empty if the manager is present, and the system has another manager
 * @property {Record<string, string>} packages program -> package
 */

const utilLinux = { nsenter: 'util-linux', unshare: 'util-linux', mount: 'util-linux' };

/** Packages for guests that have the same name everywhere. */
const forGuests = { mksquashfs: 'squashfs-tools', depmod: 'kmod', xz: 'xz', zstd: 'zstd' };

/** @type {PackageManager[]} */
const packageManagers = [
  {
    program: 'apt-get',
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
    install: ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends'],
    trial: ['-o', 'DPkg::Lock::Timeout=300', 'install', '--assume-no', '--no-install-recommends'],
    refresh: ['update'],
    lists: '/var/lib/apt/lists',
    // kernels are fetched with apt on every distribution
    installed: '/var/lib/dpkg/info',
    packages: {
      ip: 'iproute2',
      nft: 'nftables',
      perl: 'perl-base',
      tc: 'iproute2',
      bridge: 'iproute2',
      tcpdump: 'tcpdump',
      ping: 'iputils-ping',
      arping: 'iputils-arping',
      sshd: 'openssh-server',
      ...utilLinux,
      mount: 'mount',
      ...forGuests,
      xz: 'xz-utils',
      'qemu-system-x86_64': 'qemu-system-x86',
      'dpkg-deb': 'dpkg',
      'apt-get': 'apt',
      'apt-cache': 'apt',
      'apt-config': 'apt',
      flock: 'util-linux',
      dockerd: 'docker.io',
      // the plugin, which installs Vagrant itself
      vagrant: 'vagrant-libvirt',
      ssh: 'openssh-client',
      libvirtd: 'libvirt-daemon',
      virsh: 'libvirt-clients',
      dnsmasq: 'dnsmasq-base',
      'qemu-img': 'qemu-utils',
    },
  },
  {
    program: 'dnf',
    environment: {},
    install: ['install', '-y', '--setopt=install_weak_deps=False'],
    packages: {
      ip: 'iproute',
      nft: 'nftables',
      tshark: 'wireshark-cli',
      perl: 'perl-interpreter',
      tc: 'iproute-tc',
      bridge: 'iproute',
      tcpdump: 'tcpdump',
      ping: 'iputils',
      arping: 'iputils',
      sshd: 'openssh-server',
      ...utilLinux,
      ...forGuests,
      'qemu-system-x86_64': 'qemu-system-x86-core',
      'dpkg-deb': 'dpkg',
      'apt-get': 'apt',
      'apt-cache': 'apt',
      'apt-config': 'apt',
      flock: 'util-linux',
      dockerd: 'moby-engine',
      vagrant: 'vagrant-libvirt',
      ssh: 'openssh-clients',
      libvirtd: 'libvirt-daemon',
      virsh: 'libvirt-client',
    },
  },
  {
    program: 'apk',
    environment: {},
    install: ['add'],
    refresh: ['update'],
    // iputils and util-linux depend on the smaller packages into which newer Alpine versions split them
    packages: {
      ip: 'iproute2',
      nft: 'nftables',
      perl: 'perl',
      tc: 'iproute2',
      bridge: 'iproute2',
      tcpdump: 'tcpdump',
      ping: 'iputils',
      arping: 'iputils',
      sshd: 'openssh-server',
      ...utilLinux,
      ...forGuests,
      'qemu-system-x86_64': 'qemu-system-x86_64',
      'dpkg-deb': 'dpkg',
      'apt-get': 'apt',
      'apt-cache': 'apt',
      'apt-config': 'apt',
      flock: 'util-linux',
      dockerd: 'docker',
    },
  },
  {
    program: 'pacman',
    environment: {},
    install: ['-S', '--needed', '--noconfirm'],
    refresh: ['-Sy'],
    packages: {
      ip: 'iproute2',
      nft: 'nftables',
      tshark: 'wireshark-cli',
      perl: 'perl',
      tc: 'iproute2',
      bridge: 'iproute2',
      tcpdump: 'tcpdump',
      ping: 'iputils',
      arping: 'iputils',
      sshd: 'openssh',
      ...utilLinux,
      ...forGuests,
      'qemu-system-x86_64': 'qemu-system-x86',
      'dpkg-deb': 'dpkg',
      'apt-get': 'apt',
      'apt-cache': 'apt',
      'apt-config': 'apt',
      flock: 'util-linux',
      dockerd: 'docker',
    },
  },
];

/**
 * @typedef {object} Installation
 * @property {string} manager program of the package manager
 * @property {string[]} packages packages to install, each once
 * @property {string[]} command argument list of the installation, with sudo if we are not root
 * @property {string[] | undefined} refresh argument list that fetches the package lists
 * @property {boolean} refreshFirst there are no lists yet, so that an installation cannot work before
 * @property {boolean} permitted false if we are neither root nor have sudo: an administrator must run it
 * @property {string} line the whole as one shell command line
 * @property {string[]} trial argument list that prints what `command` would do; empty if there is none
 * @property {string[]} repair argument list that completes an interrupted installation; empty if there is none
 */

/**
 * The shell command line that installs programs on a machine; undefined if the machine has no supported package
 * manager.
 * @param {string[]} programs
 * @param {Machine} [machine]
 */
export function installCommand(programs, machine = thisMachine()) {
  return planInstallation(programs, machine)?.line;
}

/** The programs of the supported package managers. */
export const packageManagerNames = packageManagers.map(({ program }) => program);

/**
 * The command that installs programs on another machine, for its root; undefined if its package manager is not
 * supported.
 * @param {string[]} programs
 * @param {string} manager one of {@link packageManagerNames}
 */
export function installCommandWith(programs, manager) {
  const known = packageManagers.find(({ program }) => program === manager);
  if (!known) return undefined;
  const packages = [...new Set(programs.map((program) => known.packages[program] ?? program))].sort();
  return [manager, ...known.install, ...packages].join(' ');
}

/**
 * Plans an installation of programs on a machine; undefined if it has no supported package manager.
 * @param {string[]} programs
 * @param {Machine} machine
 * @returns {Installation | undefined}
 */
export function planInstallation(programs, machine) {
  const present = packageManagers.filter(({ program }) => findProgram(program, machine.folders));
  const manager = present.find((each) => isOwn(each, machine)) ?? present[0];
  if (!manager) return undefined;
  const packages = [...new Set(programs.map((program) => manager.packages[program] ?? program))].sort();
  const sudo = !machine.root && findProgram('sudo', machine.folders) !== undefined;
  /** @param {string[]} argumentList */
  const asRoot = (argumentList) => {
    const environment = Object.entries(manager.environment).map(([name, value]) => `${name}=${value}`);
    const whole = [...(environment.length > 0 ? ['env', ...environment] : []), manager.program, ...argumentList];
    // -n: never wait for a password
    return sudo ? ['sudo', '-n', ...whole] : whole;
  };
  const command = asRoot([...manager.install, ...packages]);
  const refresh = manager.refresh && asRoot(manager.refresh);
  const refreshFirst = refresh !== undefined && !hasLists(manager, machine);
  const line = [...(refreshFirst ? [refresh] : []), command]
    .map((each) => each.join(' ').replace(/^sudo -n /, 'sudo '))
    .join(' && ');
  return {
    manager: manager.program,
    packages,
    command,
    refresh,
    refreshFirst,
    permitted: machine.root || sudo,
    line,
    trial: manager.trial ? asRoot([...manager.trial, ...packages]) : [],
    repair: wasInterrupted(manager, machine) ? asRoot([]).slice(0, -1).concat('dpkg', '--configure', '-a') : [],
  };
}

/**
 * Whether the machine's system consists of the manager's packages.
 * @param {PackageManager} manager
 * @param {Machine} machine
 */
function isOwn({ installed }, machine) {
  if (installed === undefined) return true;
  const folder = path.join(machine.files, installed);
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/**
 * Whether an installation by dpkg was interrupted: then every later one fails (apt-pkg/deb/debsystem.cc, CheckUpdates).
 * @param {PackageManager} manager
 * @param {Machine} machine
 */
function wasInterrupted({ program }, machine) {
  const folder = path.join(machine.files, 'var/lib/dpkg/updates');
  return program === 'apt-get' && existsSync(folder) && readdirSync(folder).some((name) => /^\d+$/.test(name));
}

/**
 * Whether the manager has its package lists, so that fetching them (slow, and useless offline) is unnecessary.
 * @param {PackageManager} manager
 * @param {Machine} machine
 */
function hasLists({ lists }, machine) {
  if (lists === undefined) return true;
  const folder = path.join(machine.files, lists);
  return existsSync(folder) && readdirSync(folder).some((file) => /_Packages(\.\w+)?$/.test(file));
}
