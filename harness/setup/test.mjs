/**
 * What `npm test` does after the set-up: the unit tests, then the suites (also when a unit test failed), then one line
 * that sums both. Arguments go to the suites: `npm test -- A1.4`. With CI=true every lab is promised: what is skipped for
 * want of one is red, VLANs are performed in a guest even where the running kernel would do, all that a container lab can carry
 * is performed in one, on an engine that is started for it, vagrant/test brings Vagrant's machines up, and the audit breaks the
 * sandbox in many ways, each of which counts as a test.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEngine } from './engine.mjs';
import { carriesAudit, carriesVagrant } from './labs.mjs';
import { thisMachine } from './machine.mjs';
import { countsFile, proofOutcome, proofs } from './proofs.mjs';
import { SetupError } from './report.mjs';
import {
  atLeastOne,
  auditOutcome,
  hasSparedGuests,
  suiteOutcome,
  totalLine,
  totalOutcome,
  unitOutcome,
} from './totals.mjs';

const root = path.resolve(fileURLToPath(import.meta.url), '../../..');
/** As a shell has it for a program that SIGINT ended. */
const exitInterrupted = 130;
const macvlab = [process.execPath, path.join(root, 'dist/harness/cli/main.js'), 'run'];
const suiteArguments = process.argv.slice(2);
// .ci/run is root on a machine of its own choice: a lab that cannot be built there is a defect
const everyLab = process.env['CI'] === 'true';

const interruption = new AbortController();
const unit = await runUnitTests();
const suites = await runSuites(suiteArguments);
const parts = [
  { name: 'mocha (unit tests)', ...unit },
  { name: 'macvlab run', ...suites },
];
if (everyLab && suiteArguments.length === 0 && hasSparedGuests(suites.folder)) {
  parts.push({ name: 'macvlab run A2 --lab vm', ...(await runSuites(['A2', '--lab', 'vm', '--guests', '1'])) });
}
if (everyLab && suiteArguments.length === 0) {
  parts.push({ name: 'macvlab run --lab container', ...(await runInContainers()) });
}
if (everyLab && suiteArguments.length === 0) {
  for (const proof of proofs) parts.push({ name: proof.name, ...(await runProof(proof)) });
}
if (everyLab && suiteArguments.length === 0 && carriesVagrant(thisMachine())) {
  const command = [path.join(root, 'vagrant/test')];
  parts.push({ name: 'vagrant/test', ...atLeastOne(await runSuites([], { command, promised: false })) });
}
if (everyLab && suiteArguments.length === 0 && carriesAudit(thisMachine())) {
  parts.push({ name: 'npm run audit', ...(await runAudit()) });
}
const { counts, problems, exit } = totalOutcome(parts);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${totalLine(counts)}\n`);
process.exitCode = exit;

async function runUnitTests() {
  const folder = mkdtempSync(path.join(tmpdir(), 'macvlab-unit-'));
  try {
    const file = path.join(folder, 'counts.json');
    const mocha = path.join(root, 'node_modules/mocha/bin/mocha.js');
    const ended = await run([process.execPath, mocha, '--forbid-only'], { MACVLAB_UNIT_COUNTS: file });
    // mocha exits with the number of failed tests
    return { ...unitOutcome(file), exit: Math.min(ended, 1) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Performs a proof of the harness itself, unless we were interrupted before.
 * @param {import('./proofs.mjs').Proof} proof
 */
async function runProof({ name, program, options }) {
  const out = path.join(root, 'reports', name);
  const file = path.join(out, countsFile);
  rmSync(file, { force: true });
  if (interruption.signal.aborted) return { ...proofOutcome(name, file), exit: exitInterrupted };
  const exit = await run([process.execPath, path.join(root, program), ...options, '--out', out]);
  return { ...proofOutcome(name, file), exit };
}

/** Performs the suites in container labs, on an engine of our own. What these cannot carry has been performed elsewhere. */
async function runInContainers() {
  if (interruption.signal.aborted) return { ...suiteOutcome(undefined), exit: exitInterrupted };
  try {
    const engine = await startEngine();
    try {
      const options = { environment: { DOCKER_HOST: engine.host }, promised: false };
      return atLeastOne(await runSuites(['--lab', 'container'], options));
    } finally {
      await engine.stop();
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { counts: { passed: 0, failed: 1, skipped: 0 }, problems: [error.message, `next: ${error.next}`], exit: 1 };
  }
}

/** Performs the audit, unless we were interrupted before. */
async function runAudit() {
  const file = path.join(root, 'reports/audit/audit.json');
  rmSync(file, { force: true });
  if (interruption.signal.aborted) return { ...auditOutcome(file), exit: exitInterrupted };
  const exit = await run([process.execPath, path.join(root, 'dist/harness/audit/main.js')]);
  return { ...auditOutcome(file), exit };
}

/**
 * Performs suites, unless we were interrupted before.
 * @param {string[]} argumentList
 * @param {object} [options]
 * @param {string[]} [options.command] what performs them, if not `macvlab run`
 * @param {Record<string, string>} [options.environment]
 * @param {boolean} [options.promised] whether what is skipped for want of a lab is red
 */
async function runSuites(argumentList, { command = macvlab, environment = {}, promised = everyLab } = {}) {
  if (interruption.signal.aborted) return { ...suiteOutcome(undefined), exit: exitInterrupted, folder: undefined };
  const out = path.resolve(outFolder(argumentList) ?? path.join(root, 'reports'));
  const before = new Set(listRuns(out));
  const exit = await run([...command, ...argumentList], environment);
  const folder = listRuns(out).find((each) => !before.has(each));
  return { ...suiteOutcome(folder, { everyLab: promised }), exit, folder };
}

/**
 * Where the suites were told to write.
 * @param {string[]} argumentList
 */
function outFolder(argumentList) {
  const at = argumentList.findIndex((argument) => argument === '--out' || argument.startsWith('--out='));
  const option = argumentList[at];
  return option?.startsWith('--out=') ? option.slice('--out='.length) : option && argumentList[at + 1];
}

/**
 * The runs in a folder, oldest first: their names begin with the time.
 * @param {string} out
 */
function listRuns(out) {
  try {
    const runs = readdirSync(out, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && /^\d{8}-/.test(entry.name),
    );
    return runs.map(({ name }) => path.join(out, name)).sort();
  } catch {
    return [];
  }
}

/**
 * Runs a program of ours to its end, whatever signal we get meanwhile: it has a lab to take down.
 * @param {string[]} command
 * @param {Record<string, string>} [environment]
 * @returns {Promise<number>} its exit code
 */
async function run([program = '', ...argumentList], environment = {}) {
  const child = spawn(program, argumentList, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    interruption.abort();
    // a terminal sends SIGINT to the child as well, and two of them may mean more than one
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  process.on('SIGINT', passOn).on('SIGTERM', passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : exitInterrupted)));
    });
  } finally {
    process.off('SIGINT', passOn).off('SIGTERM', passOn);
  }
}
