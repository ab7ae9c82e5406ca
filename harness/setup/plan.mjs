/** Describes in one block what the set-up is about to install and download. */
import { enginesArePrepared } from './engines.mjs';
import { cacheFolder, defaultSeries, guestsArePrepared } from './guests.mjs';
import { tryInstallation } from './install-tools.mjs';
import { carriesGuests, lacking } from './labs.mjs';
import { countNodeModules, nodeModulesInStep } from './node-modules.mjs';
import { planInstallation } from './packages.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */

/**
 * The lines of the block; none if there is nothing to install or download.
 * @param {string} root the project's folder
 * @param {Machine} machine
 * @param {{ wanted?: import('./labs.mjs').Wanted | undefined, cache?: string }} options wanted: undefined if no lab is
 *   wanted
 */
export function describePlan(root, machine, { wanted, cache = cacheFolder() }) {
  const items = [
    ...(nodeModulesInStep(root) ? [] : [describeNodeModules(root)]),
    ...(wanted ? [...describePrograms(machine, wanted), ...describeDownloads(machine, cache)] : []),
  ];
  if (items.length === 0) return [];
  return [
    'this is installed and downloaded now:',
    ...items.map((item) => `  - ${item}`),
    'afterwards, these packages, node_modules and dist here, and the cache stay; no service, no kernel module, no setting of this machine',
    'to prevent it, end this and set MACVLAB_NO_INSTALL=1: then the commands are printed, and not run',
  ];
}

/** @param {string} root */
function describeNodeModules(root) {
  return `${countNodeModules(root)} npm packages, in node_modules: 50 MB to download, 200 MB on the disk`;
}

/**
 * @param {Machine} machine
 * @param {import('./labs.mjs').Wanted} wanted
 */
function describePrograms(machine, wanted) {
  const names = lacking(machine, wanted).map(({ name }) => name);
  const install = names.length === 0 ? undefined : planInstallation(names, machine);
  if (!install?.permitted) return [];
  const { packages, size } = tryInstallation(install, machine);
  const others = packages.filter((name) => !install.packages.includes(name));
  const more = others.length === 0 ? '' : `; and what they depend on (${others.length}): ${others.join(' ')}`;
  const total = size === '' ? '' : `: ${size}`;
  return [`${packages.length} packages of ${install.manager}${total}: ${install.packages.join(' ')}${more}`];
}

/**
 * @param {Machine} machine
 * @param {string} cache
 */
function describeDownloads(machine, cache) {
  if (!carriesGuests(machine)) return [];
  const guests = `Linux ${defaultSeries} and a root image for guests, from Debian’s archive, in ${cache}: 120 MB to download, 450 MB on the disk`;
  const engines = `docker, podman and CNI plugins for labs, from Debian’s archive, in ${cache}, never installed: 130 MB to download, 650 MB on the disk`;
  return [...(guestsArePrepared(cache) ? [] : [guests]), ...(enginesArePrepared(cache) ? [] : [engines])];
}
