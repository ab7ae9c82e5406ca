/** Installs the missing programs with the machine's own package manager. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { outputOf, runCommand } from './command.mjs';
import { planInstallation } from './packages.mjs';
import { SetupError, say } from './report.mjs';
import { guestTools, missingTools, requiredTools } from './tools.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */
/** @typedef {import('./packages.mjs').Installation} Installation */
/** @typedef {import('./tools.mjs').RequiredTool} RequiredTool */

/**
 * Installs missing programs.
 * @param {Machine} machine
 * @param {object} options
 * @param {(machine: Machine) => RequiredTool[]} [options.lacking] the missing programs; by default of those that every
 *   lab needs
 * @param {import('./progress.mjs').Task} options.task
 * @throws {SetupError} when a program is missing and cannot be installed
 */
export async function installTools(machine, { lacking = missingTools, task }) {
  const names = lacking(machine).map(({ name }) => name);
  if (names.length === 0) return;
  const install = planInstallation(names, machine);
  if (!install?.permitted) throw cannotInstall(names, install);
  task.says(`installs ${install.packages.join(' ')}`);
  await installPackages(install, machine, task);
  const still = lacking(machine).map(({ name }) => name);
  if (still.length > 0) {
    throw new SetupError(
      `still missing after installing ${install.packages.join(', ')}: ${still.join(', ')}`,
      `find out which package holds ${still.join(', ')} on this distribution, and install it`,
    );
  }
  if (names.includes('sshd')) await stopSshService(install, machine);
  task.ends();
}

/**
 * The error if missing programs cannot be installed, or must not be.
 * @param {string[]} names
 * @param {Installation | undefined} install
 */
export function cannotInstall(names, install) {
  const missing = `missing: ${names.join(', ')}`;
  if (!install) {
    return new SetupError(
      `${missing}; and none of apt-get, dnf, apk, pacman is here to install them`,
      `install ${byHand(names)} by hand`,
    );
  }
  const why = install.permitted ? '' : '; installing needs root, and there is no sudo';
  return new SetupError(`${missing}${why}`, `run as root: ${install.line}`);
}

/**
 * The projects that contain the programs, for a machine without a supported package manager.
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
 * @param {import('./progress.mjs').Task} task
 */
async function installPackages({ command, refresh, refreshFirst, repair, line, packages }, machine, task) {
  const options = { onLine: aptStatus(task) };
  /** @param {string[]} whole */
  const run = (whole) => runCommand(whole, machine, options);
  if (repair.length > 0) await run(repair);
  if (refreshFirst && refresh) await run(refresh);
  let failure = await run(withStatus(command));
  if (failure !== undefined && refresh && !refreshFirst) {
    task.says(`that failed (${failure}); once more with fresh package lists: ${refresh.join(' ')}`);
    await run(refresh);
    failure = await run(withStatus(command));
  }
  if (failure === undefined) return;
  task.fails(failure);
  throw new SetupError(
    `installing ${packages.join(', ')} failed: ${failure}`,
    `look at the package manager's output above, then run as root: ${line}`,
  );
}

/**
 * apt's command with status lines on its standard output (apt's README.progress-reporting).
 * @param {string[]} command
 */
function withStatus(command) {
  const at = command.indexOf('apt-get');
  return at < 0 ? command : [...command.slice(0, at + 1), '-o', 'APT::Status-Fd=1', ...command.slice(at + 1)];
}

/**
 * Reads the output of a package manager.
 * @param {import('./progress.mjs').Task} task
 */
function aptStatus(task) {
  /** @param {string} line */
  return (line) => {
    const [, kind, part] = /^(dl|pm)status:[^:]*:(\d+(?:\.\d+)?):/.exec(line) ?? [];
    const [, size = '', unit = ''] =
      /^Need to get (?:[\d.,]+ [kM]?B\/)?([\d.,]+) ([kM]?B) of archives/.exec(line) ?? [];
    if (kind === 'dl') task.reaches(Number(part) / 100);
    else if (kind === 'pm' && task.total > 0) task.says('unpacks and configures');
    else if (size) task.downloads('downloads', bytesOf(size, unit));
    else if (kind === undefined) task.prints(line);
  };
}

/**
 * @param {string} size as apt prints it: "1,234"
 * @param {string} unit
 */
function bytesOf(size, unit) {
  return Number(size.replaceAll(',', '')) * ({ kB: 1e3, MB: 1e6 }[unit] ?? 1);
}

/**
 * The packages and the size of an installation.
 * @param {Installation} install
 * @param {Machine} machine
 * @returns {{ packages: string[], size: string }} size: as the manager prints it; "" if it prints none
 */
export function tryInstallation(install, machine) {
  const output = install.trial.length > 0 ? outputOf(install.trial, machine) : '';
  const names = /The following NEW packages will be installed:\n((?: .*\n)+)/.exec(output)?.[1]?.trim().split(/\s+/);
  const download = /^Need to get (?:[\d.,]+ [kM]?B\/)?([\d.,]+ [kM]?B) of archives/m.exec(output)?.[1];
  const disk = /^After this operation, ([\d.,]+ [kM]?B) of additional disk space will be used/m.exec(output)?.[1];
  const size = download === undefined ? '' : `${download} to download, ${disk ?? 'nothing more'} on the disk`;
  return { packages: names ?? install.packages, size };
}

/**
 * Stops the listening service that the installation of Debian's openssh-server starts. A lab needs only the program, so
 * a machine that did not listen before must not listen after.
 * @param {Installation} install
 * @param {Machine} machine
 */
async function stopSshService({ manager, command }, machine) {
  if (manager !== 'apt-get' || !existsSync(path.join(machine.files, 'run/systemd/system'))) return;
  const disable = ['systemctl', 'disable', '--now', 'ssh.service', 'ssh.socket'];
  const whole = command[0] === 'sudo' ? ['sudo', '-n', ...disable] : disable;
  say(
    `a lab needs the sshd program only, and installing it started a service that listens; stopping it: ${whole.join(' ')}`,
  );
  const failure = await runCommand(whole, machine);
  if (failure !== undefined) say(`that failed (${failure}); the ssh service may be listening on this machine`);
}
