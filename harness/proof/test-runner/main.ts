/**
 * The part of `npm test` after the set-up: runs the unit tests and the suites side by side, then prints one line with
 * the total. Arguments go to the suites: `npm test -- A1.4`. With `--unit [PATTERN…]`, it runs only the unit tests
 * whose file's path contains a pattern.
 *
 * With CI=true every lab is promised. A test that is skipped because a lab is missing is red. VLANs are tested in a
 * guest even if the running kernel has them. The suites also run in container labs, on an engine that is started for
 * them, and on Vagrant's machines. The proofs of the harness and the mutation tests run.
 */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { exitCode } from '../../core/error.js';
import { startEngine } from '../../setup/engine.mjs';
import { carriesMutationTests, carriesVagrant } from '../../setup/labs.mjs';
import { thisMachine } from '../../setup/machine.mjs';
import { SetupError } from '../../setup/report.mjs';
import { Commands } from './commands.js';
import { keepDurations, readDurations } from './durations.js';
import { laneOf, type LaneName } from './lanes.js';
import { type Shown, TestProgress } from './progress.js';
import { countsFile, type Proof, proofOutcome, proofs } from './proofs.js';
import { type Job, schedule } from './schedule.js';
import { testFiles } from './test-files.js';
import {
  atLeastOne,
  mutationOutcome,
  fileOutcome,
  hasSparedGuests,
  type Outcome,
  skipReasons,
  suiteOutcome,
  totalLine,
  totalOutcome,
} from './totals.js';
import { Workers } from './workers.js';

/** The result of a part of the tests. */
interface Part extends Shown {
  name: string;
  exit: number;
  /** Titles of skipped unit tests. */
  skipped?: readonly string[];
}

const root = path.resolve(fileURLToPath(import.meta.url), '../../../../..');
const dist = path.join(root, 'dist');
const macvlab = [process.execPath, path.join(dist, 'harness/cli/main.js'), 'run'];
const unitOnly = process.argv[2] === '--unit';
const givenArguments = process.argv.slice(unitOnly ? 3 : 2);
const everyLab = process.env.CI === 'true';

const interruption = new AbortController();
const workers = new Workers();
const commands = new Commands();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interruption.abort();
    // A terminal sends SIGINT to all its processes. A second SIGINT may have a different effect.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    workers.interrupt(signal);
    commands.interrupt(signal);
  });
}

const durations = readDurations();
const jobs = (unitOnly ? unitJobs(givenArguments) : [...programJobs(givenArguments), ...unitJobs()]).map((job) => ({
  ...job,
  expected: durations[job.name],
}));
const progress = new TestProgress(process.stdout, pc.isColorSupported, jobs);
const took: Record<string, number> = {};
const parts = await schedule<Part>(jobs, {
  signal: interruption.signal,
  began: (job) => progress.began(job),
  ended(job, part, milliseconds) {
    if (part.exit === 0) took[job.name] = Math.round(milliseconds);
    progress.ended(job, part, milliseconds);
  },
});
workers.close();
keepDurations(took);
progress.end();
for (const line of skipReasons(parts.flatMap(({ skipped = [] }) => skipped))) process.stdout.write(`${line}\n`);
const { counts, problems, exit } = totalOutcome([...parts, ...interruptedPart(), ...strayParts()]);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${totalLine(counts)}\n`);
process.exitCode = exit;

/** A job for each file of unit tests. */
function unitJobs(patterns: readonly string[] = []): Job<Part>[] {
  return testFiles(dist, patterns).map((file) => ({
    name: file.replace(/\.js$/, '.ts'),
    lane: laneOf(file),
    async run() {
      const { output, ...result } = await workers.run(path.join(dist, file));
      const failed = result.failures.length > 0;
      return {
        name: file,
        ...fileOutcome(file, result),
        output: failed ? output : '',
        exit: failed ? 1 : 0,
        skipped: result.skipped,
      };
    },
  }));
}

/** The jobs of the suites, and the jobs that run only if every lab is promised. */
function programJobs(suiteArguments: string[]): Job<Part>[] {
  const jobs = [job('macvlab run', 'guest', () => runSuites('macvlab run', suiteArguments))];
  if (!everyLab || suiteArguments.length > 0) return jobs;
  // Uses a guest for VLANs only if the suites above had none.
  jobs[0] = job('macvlab run', 'guest', async () => {
    const suites = await runSuites('macvlab run', []);
    if (interruption.signal.aborted || !hasSparedGuests(suites.folder)) return suites;
    return together(suites, await runSuites('macvlab run A2 --lab vm', ['A2', '--lab', 'vm', '--guests', '1']));
  });
  jobs.push(job('macvlab run --lab container', 'engine', runInContainers));
  if (carriesVagrant(thisMachine())) {
    const command = [path.join(root, 'vagrant/test')];
    const out = path.join(root, 'reports/vagrant');
    jobs.push(
      job('vagrant/test', 'guest', async () =>
        atLeastOne(await runSuites('vagrant/test', ['--out', out], { command, promised: false })),
      ),
    );
  }
  jobs.push(...proofs.map((proof) => job(proof.name, 'alone', () => runProof(proof))));
  if (carriesMutationTests(thisMachine())) {
    // The faults of VLANs are in a guest, because the running kernel may not have VLANs.
    const mutationTests = { sandbox: [], vm: ['--lab', 'vm', 'vlans'] };
    for (const [lab, options] of Object.entries(mutationTests))
      jobs.push(job(`mutation-${lab}`, 'alone', () => runMutationTests(`mutation-${lab}`, options)));
  }
  return jobs;
}

function job(name: string, lane: LaneName, run: () => Promise<Part>): Job<Part> {
  return { name, lane, run };
}

/** Runs a proof of the harness itself. */
async function runProof({ name, program, options }: Proof): Promise<Part> {
  const out = path.join(root, 'reports', name);
  const file = path.join(out, countsFile);
  rmSync(file, { force: true });
  const { exit, output } = await commands.run([process.execPath, path.join(root, program), ...options, '--out', out], {
    cwd: root,
  });
  return { name, ...proofOutcome(name, file), exit, output };
}

/** Runs the suites in container labs, on an engine that this process starts. */
async function runInContainers(): Promise<Part> {
  const name = 'macvlab run --lab container';
  try {
    const engine = await startEngine();
    try {
      const options = { environment: { DOCKER_HOST: engine.host }, promised: false };
      const out = path.join(root, 'reports/container');
      return atLeastOne(await runSuites(name, ['--lab', 'container', '--out', out], options));
    } finally {
      await engine.stop();
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const problems = [error.message, `next: ${error.next}`];
    return { name, counts: { passed: 0, failed: 1, skipped: 0 }, problems, exit: 1, output: '' };
  }
}

/** Runs mutation tests. @param name also the name of the folder below reports/ to which they write */
async function runMutationTests(name: string, options: readonly string[]): Promise<Part> {
  const out = path.join(root, 'reports', name);
  const file = path.join(out, 'mutation.json');
  rmSync(file, { force: true });
  const program = path.join(dist, 'harness/proof/mutation/main.js');
  const { exit, output } = await commands.run([process.execPath, program, ...options, '--out', out], { cwd: root });
  return { name, ...atLeastOne(mutationOutcome(file)), exit, output };
}

interface SuiteOptions {
  /** The program to run instead of `macvlab run`. */
  command?: string[];
  environment?: Record<string, string>;
  /** Whether a test that is skipped because a lab is missing is red. */
  promised?: boolean;
}

async function runSuites(
  name: string,
  argumentList: string[],
  { command = macvlab, environment = {}, promised = everyLab }: SuiteOptions = {},
): Promise<Part & { folder: string | undefined }> {
  const out = path.resolve(outFolder(argumentList) ?? path.join(root, 'reports'));
  const before = new Set(listRuns(out));
  const { exit, output } = await commands.run([...command, ...argumentList], { cwd: root, environment });
  const folder = listRuns(out).find((each) => !before.has(each));
  return { name, ...suiteOutcome(folder, { everyLab: promised }), exit, output, folder };
}

/** Merges two parts. */
function together(one: Part, other: Part): Part {
  const { counts, problems, exit } = totalOutcome([one, other]);
  return { name: one.name, counts, problems, exit, output: `${one.output}\n${other.output}` };
}

/** The output folder from the suites' arguments. */
function outFolder(argumentList: readonly string[]): string | undefined {
  const at = argumentList.findIndex((argument) => argument === '--out' || argument.startsWith('--out='));
  const option = argumentList[at];
  return option?.startsWith('--out=') ? option.slice('--out='.length) : option && argumentList[at + 1];
}

/** The runs in a folder, oldest first: their names begin with the time. */
function listRuns(out: string): string[] {
  try {
    return readdirSync(out, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && /^\d{8}-/.test(entry.name))
      .map(({ name }) => path.join(out, name))
      .sort();
  } catch {
    return [];
  }
}

/** Makes the total red if an interrupt prevented jobs from running. */
function interruptedPart(): Part[] {
  if (!interruption.signal.aborted) return [];
  return [
    part(
      'npm test',
      [`interrupted: ${jobs.length - parts.length} of ${jobs.length} did not run`],
      exitCode.interrupted,
    ),
  ];
}

function strayParts(): Part[] {
  if (unitOnly && jobs.length === 0) return [part('npm test', ['no test file has a path like that'], exitCode.usage)];
  return workers.strays.length > 0 ? [part('unit tests', [...workers.strays], 1)] : [];
}

function part(name: string, problems: string[], exit: number): Part {
  const outcome: Outcome = { counts: { passed: 0, failed: problems.length, skipped: 0 }, problems };
  return { name, ...outcome, exit, output: '' };
}
