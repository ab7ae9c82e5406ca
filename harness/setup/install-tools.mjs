/** Installs the missing programs with the machine's own package manager. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { planInstallation } from './packages.mjs';
import { SetupError, say } from './report.mjs';
import { guestTools, missingTools, requiredTools } from './tools.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */
/** @typedef {import('./packages.mjs').Installation} Installation */
/** @typedef {import('./tools.mjs').RequiredTool} RequiredTool */

/**
 * Installs what is missing, or says how to.
 * @param {Machine} machine
 * @param {object} options
 * @param {boolean} options.mayInstall
 * @param {(machine: Machine) => RequiredTool[]} [options.lacking] what is missing; by default of what every lab needs
 * @throws {SetupError} when a program is missing and cannot or may not be installed
 */
export function installTools(machine, { mayInstall, lacking = missingTools }) {
  const names = lacking(machine).map(({ name }) => name);
  if (names.length === 0) return;
  const install = planInstallation(names, machine);
  if (!install) {
    throw new SetupError(
      `missing: ${names.join(', ')}; and none of apt-get, dnf, apk, pacman is here to install them`,
      `install ${byHand(names)} by hand`,
    );
  }
  if (!mayInstall) throw new SetupError(`missing: ${names.join(', ')}`, `run as root: ${install.line}`);
  if (!install.permitted) {
    throw new SetupError(
      `missing: ${names.join(', ')}; installing needs root, and there is no sudo`,
      `run as root: ${install.line}`,
    );
  }
  say(`missing: ${names.join(', ')}; installing with: ${install.line}`);
  installPackages(install, machine);
  const still = lacking(machine).map(({ name }) => name);
  if (still.length > 0) {
    throw new SetupError(
      `still missing after installing ${install.packages.join(', ')}: ${still.join(', ')}`,
      `find out which package holds ${still.join(', ')} on this distribution, and install it`,
    );
  }
  if (names.includes('sshd')) stopSshService(install, machine);
}

/**
 * What programs come with, where no package manager tells.
 * @param {string[]} names
 */
function byHand(names) {
  const projects = {
    'iproute2, tcpdump, iputils (ping, arping), the OpenSSH server and util-linux': requiredTools,
    'QEMU for x86-64, apt, dpkg, squashfs-tools, kmod and xz': guestTools,
  };
  const needed = Object.entries(projects).filter(([, tools]) => tools.some(({ name }) => names.includes(name)));
  return needed.map(([words]) => words).join(', ');
}

/**
 * @param {Installation} install
 * @param {Machine} machine
 */
function installPackages({ command, refresh, refreshFirst, line, packages }, machine) {
  if (refreshFirst && refresh) runCommand(refresh, machine);
  let failure = runCommand(command, machine);
  if (failure !== undefined && refresh && !refreshFirst) {
    say(`that failed (${failure}); once more with fresh package lists: ${refresh.join(' ')}`);
    runCommand(refresh, machine);
    failure = runCommand(command, machine);
  }
  if (failure === undefined) return;
  throw new SetupError(
    `installing ${packages.join(', ')} failed: ${failure}`,
    `look at the package manager's output above, then run as root: ${line}`,
  );
}

/**
 * Debian's openssh-server starts a listening service by being installed. A lab needs the program alone, so that a
 * machine that did not listen before does not listen after.
 * @param {Installation} install
 * @param {Machine} machine
 */
function stopSshService({ manager, command }, machine) {
  if (manager !== 'apt-get' || !existsSync(path.join(machine.files, 'run/systemd/system'))) return;
  const disable = ['systemctl', 'disable', '--now', 'ssh.service', 'ssh.socket'];
  const whole = command[0] === 'sudo' ? ['sudo', ...disable] : disable;
  say(
    `a lab needs the sshd program only, and installing it started a service that listens; stopping it: ${whole.join(' ')}`,
  );
  const failure = runCommand(whole, machine);
  if (failure !== undefined) say(`that failed (${failure}); the ssh service may be listening on this machine`);
}
