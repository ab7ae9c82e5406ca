/**
 * What this machine's labs need: the sandbox root and a few programs, guests other programs and what they boot from. One lab
 * is enough to go on with, unless all are promised: what it cannot carry is skipped with the reason.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { enginesArePrepared, prepareEngines } from './engines.mjs';
import { guestsArePrepared, prepareGuests } from './guests.mjs';
import { cannotInstall, installTools } from './install-tools.mjs';
import { planInstallation } from './packages.mjs';
import { attempt, say } from './report.mjs';
import {
  imageTools,
  missingAuditTools,
  missingGuestTools,
  missingOracleTools,
  missingRealHostTools,
  missingTools,
  missingVagrantTools,
} from './tools.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */
/** @typedef {import('./report.mjs').SetupError} SetupError */
/** @typedef {import('./tools.mjs').RequiredTool} RequiredTool */

/**
 * What the set-up is for.
 * @typedef {object} Wanted
 * @property {boolean} [tests] the project's own tests, which call programs of their own
 * @property {boolean} [everyLab] all labs are promised, and one that cannot be set up is a failure
 */

/**
 * Whether nothing is left to do.
 * @param {Machine} machine
 * @param {Wanted & { cache?: string }} [options]
 */
export function labsAreReady(machine, { cache, ...wanted } = {}) {
  if (lacking(machine, wanted).length > 0) return false;
  return !carriesGuests(machine) || (guestsArePrepared(cache) && enginesArePrepared(cache));
}

/**
 * Sees to it that this machine can carry its labs, as far as that is possible. All that does not wait for something else is done
 * at once.
 * @param {Machine} machine
 * @param {object} options
 * @param {string} options.root the project's folder
 * @param {Promise<boolean>} options.built whether it has been built, as soon as that is known
 * @param {Wanted} options.wanted
 * @param {import('./progress.mjs').Progress} options.progress
 * @param {() => void} [options.onSandbox] called when the sandbox can be used
 * @param {string} [options.cache]
 * @returns {Promise<SetupError[]>} what keeps the machine from being ready; what one can do without is only said
 */
export async function setUpLabs(machine, { root, built, wanted, progress, onSandbox = () => undefined, cache }) {
  const programs = installForLabs(machine, wanted, progress, onSandbox);
  /** @type {() => void} */
  let listsAreThere = () => undefined;
  /** @type {Promise<void>} */
  const lists = new Promise((resolve) => (listsAreThere = resolve));
  const canMake = Promise.all([programs.images, built]).then(
    ([, isBuilt]) => isBuilt && carriesGuests(machine) && missing(machine, imageTools).length === 0,
  );
  const guests = attempt(async () => {
    const task = progress.task('kernel and root image');
    if (await canMake) await prepareGuests(root, machine, { cache, task, onFetch: listsAreThere });
  }).finally(listsAreThere);
  const engines = attempt(async () => {
    const task = progress.task('container engines');
    // both would fetch the lists of packages at once
    await lists;
    if (await canMake) await prepareEngines(root, machine, { cache, task });
  });
  return forgive(machine, wanted, (await Promise.all([programs.all, guests, engines])).flat());
}

/**
 * What is missing, with the commands that install it, where nothing may be installed.
 * @param {Machine} machine
 * @param {{ wanted: Wanted, cache?: string }} options
 * @returns {SetupError[]} as {@link setUpLabs}
 */
export function refuseLabs(machine, { wanted, cache }) {
  const names = lacking(machine, wanted).map(({ name }) => name);
  const troubles = names.length === 0 ? [] : [cannotInstall(names, planInstallation(names, machine))];
  if (carriesGuests(machine) && !guestsArePrepared(cache)) {
    const line = 'beforehand: npx macvlab lab prepare';
    say(`guests have no kernel and root image yet; the first run that needs a guest makes them (${line})`);
  }
  if (carriesGuests(machine) && !enginesArePrepared(cache)) {
    const line = 'npx macvlab lab prepare --engines';
    say(`labs have no container engines yet, so that experiments with docker, podman and CNI are skipped (${line})`);
  }
  return forgive(machine, wanted, troubles);
}

/**
 * What one can do without is said, and no reason to stop.
 * @param {Machine} machine
 * @param {Wanted} wanted
 * @param {SetupError[]} troubles
 */
function forgive(machine, { everyLab = false }, troubles) {
  if (everyLab || !oneLabIsThere(machine)) return troubles;
  for (const { message, next } of troubles) {
    say(message);
    say(`next: ${next}`);
  }
  if (troubles.length > 0) say('going on without that: what needs it is skipped, and says so');
  return [];
}

/**
 * Guests are x86-64 machines, and their root image is built by running programs of theirs; so are container engines.
 * @param {Machine} machine
 */
export function carriesGuests({ architecture }) {
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
 * The programs that are missing. Who is not root has no sandbox, and can do all in guests. Programs of tests are for those who run
 * tests, and Vagrant for those who have it, unless every lab is promised.
 * @param {Machine} machine
 * @param {Wanted} wanted
 */
export function lacking(machine, { tests = false, everyLab = false }) {
  const forVagrant = everyLab && carriesVagrant(machine) ? missingVagrantTools(machine) : [];
  const forGuests = carriesGuests(machine) ? missingGuestTools(machine) : [];
  const guestsAlone = !machine.root && carriesGuests(machine) && forGuests.length === 0;
  const forAll = guestsAlone ? [] : [...missingTools(machine), ...forGuests];
  const forTests =
    (tests || everyLab) && carriesAudit(machine)
      ? [...missingRealHostTools(machine), ...missingAuditTools(machine), ...missingOracleTools(machine)]
      : [];
  return once([...forAll, ...forTests, ...forVagrant]);
}

/** @param {RequiredTool[]} tools */
function once(tools) {
  return [...new Map(tools.map((tool) => [tool.name, tool])).values()];
}

/**
 * @param {Machine} machine
 * @param {readonly string[]} names
 */
function missing(machine, names) {
  return missingGuestTools(machine).filter(({ name }) => names.includes(name));
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
 * Installs missing programs: at first those without which nothing begins. One package that cannot be had keeps all that are
 * installed with it from being installed.
 * @param {Machine} machine
 * @param {Wanted} wanted
 * @param {import('./progress.mjs').Progress} progress
 * @param {() => void} onSandbox
 * @returns {{ images: Promise<unknown>, all: Promise<SetupError[]> }} images: settled when images for guests can be made
 */
function installForLabs(machine, wanted, progress, onSandbox) {
  const task = progress.task('programs');
  const wantedNow = () => lacking(machine, wanted);
  const isWanted = (/** @type {RequiredTool} */ tool) => wantedNow().includes(tool);
  const forImages = () => missing(machine, imageTools);
  /** @param {() => RequiredTool[]} tools */
  const install = (tools) => attempt(() => installTools(machine, { lacking: tools, task }));
  const names = wantedNow().map(({ name }) => name);
  const plan = planInstallation(names, machine);
  if (names.length > 0 && !plan?.permitted) {
    return { images: Promise.resolve(), all: Promise.resolve([cannotInstall(names, plan)]) };
  }
  const images = (async () => {
    const troubles = await install(() => once([...missingTools(machine), ...forImages()].filter(isWanted)));
    return troubles.length > 0 ? [...troubles, ...(await install(() => missingTools(machine).filter(isWanted)))] : [];
  })();
  const all = images.then(async (troubles) => {
    if (missingTools(machine).length === 0) onSandbox();
    const forGuests = await install(() => missingGuestTools(machine).filter(isWanted));
    const rest = await install(() => wantedNow().filter((tool) => !missingGuestTools(machine).includes(tool)));
    return [...troubles, ...forGuests, ...rest];
  });
  return { images, all };
}
