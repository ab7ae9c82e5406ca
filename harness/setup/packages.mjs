/** Package managers: which one this machine has, and what it calls the packages of the programs that a lab needs. */
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
 * @property {string[]} [refresh] arguments that fetch the lists of packages, where installing does not do that by itself
 * @property {string} [lists] folder that holds those lists, where they may be missing altogether (as in Docker images)
 * @property {string} [installed] folder that is empty where the manager is there, and the system is another's
 * @property {Record<string, string>} packages program -> package
 */

const utilLinux = { nsenter: 'util-linux', unshare: 'util-linux', mount: 'util-linux' };

/** What is called the same everywhere, of the programs that guests need. */
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
      // the plugin, which brings Vagrant itself
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
    // iputils and util-linux pull in the smaller packages that newer Alpine versions split them into
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
 * @property {string[]} packages what will be installed, each once
 * @property {string[]} command argument list of the installation, begun with sudo where we are not root
 * @property {string[] | undefined} refresh argument list that fetches the lists of packages
 * @property {boolean} refreshFirst there are no lists yet, so that installing cannot work before
 * @property {boolean} permitted false when we are neither root nor have sudo: somebody else must run it
 * @property {string} line the whole as a person would type it
 * @property {string[]} trial argument list that prints what `command` would do; empty where there is none
 * @property {string[]} repair argument list that completes an installation that was interrupted; empty where there is none
 */

/**
 * The line that installs programs on a machine, as a person would type it; undefined when the machine has no package
 * manager that we know.
 * @param {string[]} programs
 * @param {Machine} [machine]
 */
export function installCommand(programs, machine = thisMachine()) {
  return planInstallation(programs, machine)?.line;
}

/** The programs of the package managers that we know. */
export const packageManagerNames = packageManagers.map(({ program }) => program);

/**
 * The command that installs programs on another machine, for its root; undefined where we do not know its package manager.
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
 * How to install programs on a machine; undefined when it has no package manager that we know.
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
    // -n: a password is never waited for
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
 * Whether the machine's system is made of the manager's packages.
 * @param {PackageManager} manager
 * @param {Machine} machine
 */
function isOwn({ installed }, machine) {
  if (installed === undefined) return true;
  const folder = path.join(machine.files, installed);
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/**
 * Whether an installation by dpkg was interrupted, which lets every later one fail (apt-pkg/deb/debsystem.cc, CheckUpdates).
 * @param {PackageManager} manager
 * @param {Machine} machine
 */
function wasInterrupted({ program }, machine) {
  const folder = path.join(machine.files, 'var/lib/dpkg/updates');
  return program === 'apt-get' && existsSync(folder) && readdirSync(folder).some((name) => /^\d+$/.test(name));
}

/**
 * Whether the manager has its lists of packages, so that fetching them (slow, and useless offline) can be left out.
 * @param {PackageManager} manager
 * @param {Machine} machine
 */
function hasLists({ lists }, machine) {
  if (lists === undefined) return true;
  const folder = path.join(machine.files, lists);
  return existsSync(folder) && readdirSync(folder).some((file) => /_Packages(\.\w+)?$/.test(file));
}
