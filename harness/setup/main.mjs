/**
 * The first step of every npm script, before anything is installed or built. It updates node_modules, dist/, the
 * programs of the labs, and the kernel and root image of guests. It prints nothing if they are up to date. It imports
 * only Node's own modules.
 *
 *     node harness/setup/main.mjs [--for run|test|build] [--every-lab] [--run ARGUMENT…]
 *
 * --for: the purpose: `macvlab run` (the default), also the project's own tests, or node_modules and dist only. With
 * --run, `macvlab run` begins with these arguments as soon as the sandbox can be used, and the set-up continues at the
 * same time. With MACVLAB_NO_INSTALL=1 it prints what it would install, and installs nothing. With CI=true, or
 * --every-lab, every lab is promised, and one that cannot be set up is a failure.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildIsFresh } from './build.mjs';
import { runCommand } from './command.mjs';
import { labsAreReady, lacking, refuseLabs, setUpLabs } from './labs.mjs';
import { thisMachine } from './machine.mjs';
import { cannotInstallNodeModules, installNodeModules, nodeModulesInStep } from './node-modules.mjs';
import { planInstallation } from './packages.mjs';
import { SetupError, attempt, say } from './report.mjs';

/** The same as "engines" in package.json: mocha and the linters need it. */
const oldestNode = [20, 19];

/** Exit code for a machine that cannot run a lab (docs/verdicts.md: "Exit codes"). */
const exitLab = 3;
/** A shell's exit code for a program that SIGINT ended. */
const exitInterrupted = 130;

const root = path.resolve(fileURLToPath(import.meta.url), '../../..');
const { options, runArguments } = readArguments(process.argv.slice(2));
const everyLab = process.env['CI'] === 'true' || options.includes('--every-lab');
/** @type {import('./labs.mjs').Wanted | undefined} */
const wanted = options.includes('build') ? undefined : { tests: options.includes('test'), everyLab };

/** The run, after it has begun. @type {Promise<number> | undefined} */
let run;
const failures = await setUp();
for (const { message, next } of failures) {
  say(message);
  say(`next: ${next}`);
}
if (failures.length > 0) process.exitCode = exitLab;
else begin();
const exit = await run;
if (exit !== undefined && exit !== 0) process.exitCode = exit;

/** @returns {Promise<SetupError[]>} errors that make the machine unusable */
async function setUp() {
  const unsuitable = await attempt(checkPlatform);
  if (unsuitable.length > 0) return unsuitable;
  const machine = thisMachine();
  if (nodeModulesInStep(root) && (!wanted || labsAreReady(machine, wanted)) && buildIsFresh(root)) return [];
  const [{ withLock }, { Progress }] = await Promise.all([import('./lock.mjs'), import('./progress.mjs')]);
  const progress = new Progress();
  return withLock(root, async () => {
    if (process.env['MACVLAB_NO_INSTALL'] === '1') return onlyBuild(machine, progress);
    await announce(machine);
    /** @type {(isBuilt: boolean) => void} */
    let told = () => undefined;
    /** @type {Promise<boolean>} */
    const built = new Promise((resolve) => (told = resolve));
    const building = attempt(async () => {
      await installNodeModules(root, machine, progress.task('npm packages'));
      await build(root, progress.task('build'), () => told(true));
    });
    void building.then((troubles) => told(troubles.length === 0));
    const runBeside = async () => {
      // if every lab is promised, a missing one is reported before the run begins
      if (runArguments === undefined || everyLab || !machine.root || !(await built)) return;
      progress.onlyAdd();
      begin();
    };
    const onSandbox = () => void runBeside();
    // runs even after a failure, so that one output shows everything that is missing
    const labs = wanted ? setUpLabs(machine, { root, built, wanted, progress, onSandbox }) : [];
    return [...(await building), ...(await labs)];
  });
}

/**
 * Builds, and reports missing prerequisites, if nothing may be installed.
 * @param {import('./machine.mjs').Machine} machine
 * @param {import('./progress.mjs').Progress} progress
 */
async function onlyBuild(machine, progress) {
  const unbuilt = await attempt(async () => {
    if (!nodeModulesInStep(root)) throw cannotInstallNodeModules();
    await build(root, progress.task('build'));
  });
  return [...unbuilt, ...(wanted ? refuseLabs(machine, { wanted }) : [])];
}

/**
 * Prints what is about to be installed. The size is available only with the package lists.
 * @param {import('./machine.mjs').Machine} machine
 */
async function announce(machine) {
  const names = wanted ? lacking(machine, wanted).map(({ name }) => name) : [];
  const install = names.length > 0 ? planInstallation(names, machine) : undefined;
  if (install?.permitted && install.refreshFirst && install.refresh) {
    say(`reads the lists of packages: ${install.refresh.join(' ')}`);
    await runCommand(install.refresh, machine, { onLine: () => undefined });
  }
  const { describePlan } = await import('./plan.mjs');
  for (const line of describePlan(root, machine, { wanted })) say(line);
}

/** Begins the requested run, if it has not begun yet. */
function begin() {
  if (runArguments === undefined) return;
  run ??= runMacvlab(runArguments);
}

/**
 * Runs `macvlab run` to its end, even after a signal: it has a lab to tear down.
 * @param {string[]} argumentList
 * @returns {Promise<number>} its exit code
 */
async function runMacvlab(argumentList) {
  const program = path.join(root, 'dist/harness/cli/main.js');
  const child = spawn(process.execPath, [program, 'run', ...argumentList], { stdio: 'inherit' });
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    // a terminal sends SIGINT to the child as well, and two of them may have another meaning
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  process.on('SIGINT', passOn).on('SIGTERM', passOn).on('SIGHUP', passOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal !== null || code === exitInterrupted) process.exit(exitInterrupted);
      resolve(code ?? 1);
    });
  });
}

/** @param {string[]} given */
function readArguments(given) {
  const at = given.indexOf('--run');
  return at < 0
    ? { options: given, runArguments: undefined }
    : { options: given.slice(0, at), runArguments: given.slice(at + 1) };
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
