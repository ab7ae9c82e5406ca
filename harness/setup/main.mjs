/**
 * The first step of `npm start` and `npm test`, before anything is installed or built: brings node_modules, dist/, the
 * programs of the labs and what guests boot from up to date, and says nothing when they are. Imports nothing but Node's own
 * modules. With MACVLAB_NO_INSTALL=1 it says what it would install, and does not. With CI=true, or --every-lab, every lab is
 * promised, and one that cannot be set up is a failure.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildIsFresh } from './build.mjs';
import { labsAreReady, setUpLabs } from './labs.mjs';
import { thisMachine } from './machine.mjs';
import { installNodeModules, nodeModulesInStep } from './node-modules.mjs';
import { SetupError, attempt, say } from './report.mjs';

/** As package.json says ("engines"): mocha and the linters need it. */
const oldestNode = [20, 19];

/** Exit code of a machine that cannot carry a lab (architecture: "Exit codes"). */
const exitLab = 3;

const failures = await setUp(path.resolve(fileURLToPath(import.meta.url), '../../..'));
for (const { message, next } of failures) {
  say(message);
  say(`next: ${next}`);
}
if (failures.length > 0) process.exitCode = exitLab;

/**
 * @param {string} root the project's folder
 * @returns {Promise<SetupError[]>} what keeps the machine from being ready
 */
async function setUp(root) {
  const unsuitable = attempt(checkPlatform);
  if (unsuitable.length > 0) return unsuitable;
  const machine = thisMachine();
  const everyLab = process.env['CI'] === 'true' || process.argv.includes('--every-lab');
  if (nodeModulesInStep(root) && labsAreReady(machine, { everyLab }) && buildIsFresh(root)) return [];
  const mayInstall = process.env['MACVLAB_NO_INSTALL'] !== '1';
  const { withLock } = await import('./lock.mjs');
  return withLock(root, () => {
    const unbuilt = attempt(() => {
      installNodeModules(root, machine, { mayInstall });
      build(root);
    });
    // tried even after a failure, so that one look at the output shows all that is missing
    return [...unbuilt, ...setUpLabs(machine, { root, built: unbuilt.length === 0, mayInstall, everyLab })];
  });
}

function checkPlatform() {
  if (process.platform !== 'linux') {
    throw new SetupError(
      `macvlan is a part of Linux, and this is ${process.platform}`,
      'run macvlab on Linux, or in a Linux guest',
    );
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: ${oldestNode.join('.')} or newer is needed`,
      'install a newer Node (nodejs.org, or your distribution), and run this again',
    );
  }
}
