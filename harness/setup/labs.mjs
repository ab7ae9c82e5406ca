/**
 * Prepares this machine for its labs. The sandbox needs root and a few programs; guests need other programs, a kernel
 * and a root image. One lab is enough, unless all are promised: experiments that it cannot run are skipped with the
 * reason.
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
 * The purpose of the set-up.
 * @typedef {object} Wanted
 * @property {boolean} [tests] the project's own tests, which call programs of their own
 * @property {boolean} [everyLab] all labs are promised, and one that cannot be set up is a failure
 */

/**
 * Whether the set-up is complete.
 * @param {Machine} machine
 * @param {Wanted & { cache?: string }} [options]
 */
export function labsAreReady(machine, { cache, ...wanted } = {}) {
  if (lacking(machine, wanted).length > 0) return false;
  return !carriesGuests(machine) || (guestsArePrepared(cache) && enginesArePrepared(cache));
}

/**
 * Prepares this machine for its labs, as far as possible. Independent steps run at the same time.
 * @param {Machine} machine
 * @param {object} options
 * @param {string} options.root the project's folder
 * @param {Promise<boolean>} options.built resolves to whether the project has been built
 * @param {Wanted} options.wanted
 * @param {import('./progress.mjs').Progress} options.progress
 * @param {() => void} [options.onSandbox] called when the sandbox can be used
 * @param {string} [options.cache]
 * @returns {Promise<SetupError[]>} errors that make the machine unusable; errors of optional parts are only printed
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
    // both would fetch the package lists at the same time
    await lists;
    if (await canMake) await prepareEngines(root, machine, { cache, task });
  });
  return forgive(machine, wanted, (await Promise.all([programs.all, guests, engines])).flat());
}

/**
 * The missing prerequisites, with the commands that install them, if nothing may be installed.
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
 * Prints errors of optional parts; they are not a reason to stop.
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
 * Guests are x86-64 machines, and the build of their root image runs its programs. The same applies to container
 * engines.
 * @param {Machine} machine
 */
export function carriesGuests({ architecture }) {
  return architecture === 'x64';
}

/**
 * Whether mutation tests, and the tests of real hosts, can run here: as root, and with Debian's programs, as in CI.
 * @param {Machine} machine
 */
export function carriesMutationTests({ root, files }) {
  return root && existsSync(path.join(files, 'etc/debian_version'));
}

/**
 * Whether the Vagrant lab can run here without the user's own libvirt: as root, and with Debian's
 * (vagrant/with-libvirt).
 * @param {Machine} machine
 */
export function carriesVagrant(machine) {
  return carriesMutationTests(machine) && carriesGuests(machine);
}

/**
 * The missing programs. A user without root has no sandbox, and can run everything in guests. The programs of tests are
 * included for test runs, and if every lab is promised. Vagrant is included only if every lab is promised.
 * @param {Machine} machine
 * @param {Wanted} wanted
 */
export function lacking(machine, { tests = false, everyLab = false }) {
  const forVagrant = everyLab && carriesVagrant(machine) ? missingVagrantTools(machine) : [];
  const forGuests = carriesGuests(machine) ? missingGuestTools(machine) : [];
  const guestsAlone = !machine.root && carriesGuests(machine) && forGuests.length === 0;
  const forAll = guestsAlone ? [] : [...missingTools(machine), ...forGuests];
  const forTests =
    (tests || everyLab) && carriesMutationTests(machine)
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
 * Whether any experiments can run. Without root and guests, the run reports that it needs root.
 * @param {Machine} machine
 */
function oneLabIsThere(machine) {
  if (missingTools(machine).length === 0) return true;
  return !machine.root && carriesGuests(machine) && missingGuestTools(machine).length === 0;
}

/**
 * Installs missing programs, and first those that every lab needs. If one package is unavailable, its whole
 * installation fails.
 * @param {Machine} machine
 * @param {Wanted} wanted
 * @param {import('./progress.mjs').Progress} progress
 * @param {() => void} onSandbox
 * @returns {{ images: Promise<unknown>, all: Promise<SetupError[]> }} images: settled when images for guests can be
 *   made
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
