/** Checks whether the installed npm packages match the lock file, and installs them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { SetupError } from './report.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */
/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean }} LockedPackage */

/**
 * Includes the development packages: the compiler is one of them, and NODE_ENV=production would omit it. Omits install
 * scripts: ssh2 would compile a faster cipher, which needs a compiler and a download. It works without that.
 */
const npmCi = ['npm', 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'];

/**
 * Whether node_modules matches package-lock.json. npm records its installation as the last step, so that an incomplete
 * installation never counts as complete.
 * @param {string} root the project's folder
 */
export function nodeModulesInStep(root) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const installed = readPackages(path.join(root, 'node_modules/.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([folder, { version, optional, devOptional }]) => {
    if (folder === '') return true;
    const found = installed[folder];
    // optional packages for other platforms are not installed
    return found ? found.version === version : optional === true || devOptional === true;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
function readPackages(file) {
  try {
    const lock = /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')));
    return /** @type {{ packages?: Record<string, LockedPackage> }} */ (lock).packages;
  } catch {
    return undefined;
  }
}

/**
 * How many packages an installation contains.
 * @param {string} root
 */
export function countNodeModules(root) {
  return Object.keys(readPackages(path.join(root, 'package-lock.json')) ?? {}).filter((folder) => folder !== '').length;
}

/** The error for installed packages that do not match the lock file, if none may be installed. */
export function cannotInstallNodeModules() {
  return new SetupError('node_modules is not in step with package-lock.json', `run: ${npmCi.join(' ')}`);
}

/**
 * Installs the packages of the lock file, if necessary.
 * @param {string} root
 * @param {Machine} machine
 * @param {import('./progress.mjs').Task} task
 * @throws {SetupError}
 */
export async function installNodeModules(root, machine, task) {
  if (nodeModulesInStep(root)) return;
  const line = npmCi.join(' ');
  task.says(line);
  // a node that was called by its full path has its npm in the same folder, and npm needs that node in its PATH
  const folders = [...machine.folders, path.dirname(process.execPath)];
  const onLine = (/** @type {string} */ text) => task.prints(text);
  const failure = await runCommand(npmCi, { ...machine, folders }, { cwd: root, onLine });
  if (failure === undefined) return task.ends();
  task.fails(failure);
  throw new SetupError(`npm ci failed: ${failure}`, `look at npm's output above, then run: ${line}`);
}
