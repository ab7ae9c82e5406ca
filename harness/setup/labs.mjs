/**
 * What this machine's labs need: the sandbox root and a few programs, guests other programs and what they boot from. One lab
 * is enough to go on with, unless all are promised: what it cannot carry is skipped with the reason.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { enginesArePrepared, prepareEngines } from './engines.mjs';
import { guestsArePrepared, prepareGuests } from './guests.mjs';
import { installTools } from './install-tools.mjs';
import { planInstallation } from './packages.mjs';
import { attempt, say } from './report.mjs';
import {
  missingAuditTools,
  missingGuestTools,
  missingOracleTools,
  missingRealHostTools,
  missingTools,
  missingVagrantTools,
} from './tools.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */
/** @typedef {import('./report.mjs').SetupError} SetupError */

/**
 * Whether nothing is left to do.
 * @param {Machine} machine
 * @param {{ everyLab?: boolean, cache?: string }} [options] everyLab: all labs are promised
 */
export function labsAreReady(machine, { everyLab = false, cache } = {}) {
  if (lacking(machine, everyLab).length > 0) return false;
  return !carriesGuests(machine) || (guestsArePrepared(cache) && enginesArePrepared(cache));
}

/**
 * Sees to it that this machine can carry its labs, as far as that is possible.
 * @param {Machine} machine
 * @param {object} options
 * @param {string} options.root the project's folder
 * @param {boolean} options.built whether it has been built
 * @param {boolean} options.mayInstall
 * @param {boolean} options.everyLab whether a lab that is missing is a failure, even if another is there
 * @param {string} [options.cache]
 * @returns {SetupError[]} what keeps the machine from being ready; what one can do without is only said
 */
export function setUpLabs(machine, { root, built, mayInstall, everyLab, cache }) {
  const troubles = attempt(() => installForLabs(machine, { mayInstall, everyLab }));
  if (built && carriesGuests(machine) && missingGuestTools(machine).length === 0) {
    troubles.push(...attempt(() => prepareGuests(root, { mayInstall, cache })));
    troubles.push(...attempt(() => prepareEngines(root, { mayInstall, cache })));
  }
  if (everyLab || !oneLabIsThere(machine)) return troubles;
  for (const { message, next } of troubles) {
    say(message);
    say(`next: ${next}`);
  }
  if (troubles.length > 0) say('going on without that: experiments that need it are skipped, and say so');
  return [];
}

/**
 * Guests are x86-64 machines, and their root image is built by running programs of theirs; so are container engines.
 * @param {Machine} machine
 */
function carriesGuests({ architecture }) {
  return architecture === 'x64';
}

/**
 * Whether the audit, and the tests of real hosts, can be performed here: as root, and with Debian's programs, as CI does.
 * @param {Machine} machine
 */
export function carriesAudit({ root, files }) {
  return root && existsSync(path.join(files, 'etc/debian_version'));
}

/**
 * Whether the Vagrant lab can be performed here without the user's own libvirt: as root, and with Debian's (vagrant/with-libvirt).
 * @param {Machine} machine
 */
export function carriesVagrant(machine) {
  return carriesAudit(machine) && carriesGuests(machine);
}

/**
 * The programs that are missing. Who is not root has no sandbox, and can do all in guests. The Vagrant lab is for those who have
 * Vagrant, and the audit and the tests of real hosts for developers, unless every lab is promised.
 * @param {Machine} machine
 * @param {boolean} everyLab
 */
function lacking(machine, everyLab) {
  const forVagrant = everyLab && carriesVagrant(machine) ? missingVagrantTools(machine) : [];
  const forGuests = carriesGuests(machine) ? missingGuestTools(machine) : [];
  const guestsAlone = !machine.root && carriesGuests(machine) && forGuests.length === 0;
  const forAll = guestsAlone ? [] : [...missingTools(machine), ...forGuests];
  const forTests =
    everyLab && carriesAudit(machine)
      ? [...missingRealHostTools(machine), ...missingAuditTools(machine), ...missingOracleTools(machine)]
      : [];
  const tools = [...forAll, ...forVagrant, ...forTests];
  return [...new Map(tools.map((tool) => [tool.name, tool])).values()];
}

/**
 * Whether experiments can be performed at all. Who is not root and has no guests is told by the run that root is needed.
 * @param {Machine} machine
 */
function oneLabIsThere(machine) {
  if (missingTools(machine).length === 0) return true;
  return !machine.root && carriesGuests(machine) && missingGuestTools(machine).length === 0;
}

/**
 * Installs what is missing for all labs together; for the sandbox alone when that fails: one package that cannot be had
 * keeps all from being installed.
 * @param {Machine} machine
 * @param {{ mayInstall: boolean, everyLab: boolean }} options
 * @throws {SetupError}
 */
function installForLabs(machine, { mayInstall, everyLab }) {
  try {
    installTools(machine, { mayInstall, lacking: (each) => lacking(each, everyLab) });
  } catch (error) {
    const forSandbox = missingTools(machine).map(({ name }) => name);
    const worthIt = forSandbox.length > 0 && forSandbox.length < lacking(machine, everyLab).length;
    if (worthIt && mayInstall && planInstallation(forSandbox, machine)?.permitted) {
      attempt(() => installTools(machine, { mayInstall, lacking: missingTools }));
    }
    throw error;
  }
}
