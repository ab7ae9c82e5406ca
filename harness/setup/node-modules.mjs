/** Whether the installed npm packages are those of the lock file, and installing them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { SetupError } from './report.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */
/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean }} LockedPackage */

/**
 * With the development packages, since the compiler is one of them and NODE_ENV=production would leave it out. Without
 * install scripts: ssh2 would have a faster cipher compiled, which takes a compiler and a
 * download, and works without.
 */
const npmCi = ['npm', 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'];

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes down what it has installed, and does so last,
 * so that half an installation is never taken for a whole one.
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
 * How many packages an installation holds.
 * @param {string} root
 */
export function countNodeModules(root) {
  return Object.keys(readPackages(path.join(root, 'package-lock.json')) ?? {}).filter((folder) => folder !== '').length;
}

/**
 * What is wrong with the installed packages where none may be installed.
 */
export function cannotInstallNodeModules() {
  return new SetupError('node_modules is not in step with package-lock.json', `run: ${npmCi.join(' ')}`);
}

/**
 * Installs the packages of the lock file, if need be.
 * @param {string} root
 * @param {Machine} machine
 * @param {import('./progress.mjs').Task} task
 * @throws {SetupError}
 */
export async function installNodeModules(root, machine, task) {
  if (nodeModulesInStep(root)) return;
  const line = npmCi.join(' ');
  task.says(line);
  // a node that was called by its full path has its npm beside it, and npm needs that node in its PATH
  const folders = [...machine.folders, path.dirname(process.execPath)];
  const onLine = (/** @type {string} */ text) => task.prints(text);
  const failure = await runCommand(npmCi, { ...machine, folders }, { cwd: root, onLine });
  if (failure === undefined) return task.ends();
  task.fails(failure);
  throw new SetupError(`npm ci failed: ${failure}`, `look at npm's output above, then run: ${line}`);
}
