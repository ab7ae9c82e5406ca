import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TestArchive } from '../../kernel/debian/archive.test-support.js';
import type { JobPlan } from '../../matrix/plan/job-plan.js';
import { putCiPrograms } from './ci-programs.test-support.js';
import { macvlab } from '../command-line.test-support.js';
import { leaveMatrix } from './left-matrix.test-support.js';
import { type Jobs, WorkflowRun } from './workflow-runner.test-support.js';
import { readWorkflow } from './workflow.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const workflow = readWorkflow(join(root, '.github/workflows/nightly.yml'));
const branch = workflow.env['HISTORY_BRANCH'] ?? '';

const kernels = [
  { name: '6.1', version: '6.1.9', release: '6.1.0-9-cloud-amd64', debian: '6.1.9-1' },
  { name: '6.12', version: '6.12.7', release: '6.12.7+deb13-cloud-amd64', debian: '6.12.7-1' },
];

/** The result of a kernel in one night: the ids of failed experiments, or no files. */
type Fate = { failing?: string[]; leavesNothing?: true };

/**
 * Runs the workflow’s own scripts on this machine: plan, merge and git are real. A kernel does not run: its results are
 * copied. npm and the set-up only add a line to the notes.
 */
describe('the nightly workflow, performed', function () {
  this.timeout(120_000);
  let folder = '';
  let env: Record<string, string> = {};
  let archive: TestArchive | undefined;
  let nights = 0;
  let catalogue: JobPlan['experiments'] = [];

  before(async function () {
    needs(this, 'apt-get', 'dpkg-deb', 'gpg', 'gpgv', 'git', 'tar');
    folder = mkdtempSync(join(tmpdir(), 'macvlab-nightly-'));
    archive = new TestArchive(join(folder, 'debian'));
    archive.publish(kernels.map(({ release, debian }) => ({ name: `linux-image-${release}`, version: debian })));
    env = {
      ...archive.environment,
      ...{ MACVLAB_CACHE: join(folder, 'cache'), MACVLAB_STATE: join(folder, 'state'), GIT_CONFIG_NOSYSTEM: '1' },
    };
    putCiPrograms(join(folder, 'programs'));
    const { stdout } = await macvlab(['matrix', '--kernels', '6.1', '--plan', 'json'], { env });
    catalogue = (JSON.parse(stdout) as JobPlan).experiments;
  });

  beforeEach(() => {
    rmSync(origin(), { recursive: true, force: true });
    const seed = mkdtempSync(join(folder, 'seed-'));
    writeFileSync(join(seed, 'README.md'), 'a project\n');
    git(seed, 'init', '--quiet', '--initial-branch=main');
    git(seed, 'add', '.');
    git(seed, '-c', 'user.name=me', '-c', 'user.email=me@example.org', 'commit', '--quiet', '--message=Begin');
    git(seed, 'clone', '--quiet', '--bare', '.', origin());
  });

  after(() => {
    archive?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('is red once for what got worse, and keeps a history of whole nights', async () => {
    const first = await night({});
    expect(resultsOf(first)).to.equal('plan success, kernel success success, merge success, history success');
    expect(history()).to.have.length(1);
    tellsEachJobWhatToPerform(first);
    hasUploadedAll();

    const worse = await night({ '6.12': { failing: ['A1.3'] } });
    expect(resultsOf(worse)).to.equal('plan success, kernel success success, merge failure, history success');
    expect(worse.get('merge')?.[0]?.summary).to.include('A1.3');
    expect(history()).to.have.length(2);

    const same = await night({ '6.12': { failing: ['A1.3'] } });
    expect(resultsOf(same)).to.equal('plan success, kernel success success, merge success, history success');
    expect(history()).to.have.length(3);

    // A kernel without results is red, and has no column. Nothing is recorded, since its experiments would seem to be
    // gone.
    const partial = await night({ '6.12': { leavesNothing: true } });
    expect(resultsOf(partial)).to.equal('plan success, kernel success failure, merge success, history skipped');
    expect(partial.get('merge')?.[0]?.summary).to.include('6.1');

    // A manual run is compared, and not recorded.
    const byHand = await night({ '6.12': { failing: ['A1.4'] } }, { kernels: '6.12', filters: 'A1.3 A1.4' });
    expect(resultsOf(byHand)).to.equal('plan success, kernel success, merge failure, history skipped');
    expect(outputOf(byHand, 'plan'))
      .to.match(/A1\.3 .*\n(?:.*\n)* {2}A1\.4 /)
      .and.not.include('A1.1');

    expect(history()).to.have.length(3);
    for (const name of history()) expect(name).to.match(/^\d{8}-\d{6}\.json$/);
    expect(git(origin(), 'log', '--format=%an', branch)).to.equal('github-actions[bot]\n'.repeat(3));
    expect(git(origin(), 'log', '--format=%s', 'main')).to.equal('Begin\n');
  });

  it('is red when no kernel has left anything', async () => {
    const nothing = { leavesNothing: true } as const;
    const jobs = await night({ '6.1': nothing, '6.12': nothing });
    expect(resultsOf(jobs)).to.equal('plan success, kernel failure failure, merge failure, history skipped');
    expect(outputOf(jobs, 'merge')).to.include('::error::no kernel has left anything');
  });

  it('takes what somebody types as words, and as nothing else', async () => {
    const trap = join(folder, 'trap');
    const jobs = await night(
      {},
      { kernels: `6.1"; touch ${trap}; $(touch ${trap})`, filters: `A1 $(touch ${trap}) * ; touch ${trap}` },
    );
    expect(resultsOf(jobs)).to.equal('plan failure, kernel skipped, merge skipped, history skipped');
    expect(outputOf(jobs, 'plan')).to.include('next: ');
    expect(existsSync(trap)).to.equal(false);
  });

  /** Runs the workflow; its kernels get the given results. */
  async function night(fates: Record<string, Fate>, inputs: Record<string, string> = {}) {
    const own = join(folder, `night-${++nights}`);
    const left = join(own, 'left');
    const startedAt = new Date(Date.UTC(2026, 10, nights, 2, 23)).toISOString();
    const wanted = inputs['filters']?.split(' ');
    const experiments = catalogue.filter(({ id }) => wanted?.includes(id) ?? true);
    for (const { name, version, release } of kernels) {
      const { failing = [], leavesNothing = false } = fates[name] ?? {};
      mkdirSync(join(left, name), { recursive: true });
      writeFileSync(join(left, name, 'status'), leavesNothing ? '3' : failing.length > 0 ? '1' : '0');
      if (leavesNothing || experiments.length === 0) continue;
      leaveMatrix(join(left, name, 'reports'), { version, release, experiments }, { startedAt, failing });
    }
    const options = { workflow, folder: own, origin: origin(), programs: join(folder, 'programs') };
    return new WorkflowRun({ ...options, env: { ...env, LEFT: left, NOTES: join(folder, 'notes') } }, inputs).perform();
  }

  function origin(): string {
    return join(folder, 'origin.git');
  }

  function tellsEachJobWhatToPerform(jobs: Jobs): void {
    expect(outputOf(jobs, 'plan')).to.include('2 kernels:').and.to.include('6.12=6.12.7-1');
    const matrix = jobs.get('plan')?.[0]?.outputs['matrix'] ?? '';
    const { include } = JSON.parse(matrix) as { include: Record<string, string>[] };
    expect(include.map(({ name }) => name)).to.deep.equal(['6.1', '6.12']);
    for (const [position, { steps }] of (jobs.get('kernel') ?? []).entries()) {
      // The output of the job’s own command line with `--plan text` prepended.
      const output = steps.find(({ name }) => name === 'Perform')?.output;
      expect(output).to.include(`1 kernel:\n  ${include[position]?.['kernels']}`).and.to.include('1 job:\n');
    }
    const notes = readFileSync(join(folder, 'notes'), 'utf8').split('\n');
    expect(notes).to.include('node harness/setup/main.mjs').and.to.include('npm run build');
    expect(existsSync(join(root, 'harness/setup/main.mjs'))).to.equal(true);
  }

  function hasUploadedAll(): void {
    const artifacts = join(folder, `night-${nights}`, 'artifacts');
    expect(readdirSync(artifacts).sort()).to.deep.equal(['kernel-6.1', 'kernel-6.12', 'kernel-table', 'recorded']);
    const table = readdirSync(join(artifacts, 'kernel-table')).sort();
    expect(table).to.deep.equal(['junit.xml', 'table.html', 'table.json', 'table.md']);
    const listed = execFileSync('tar', ['-tzf', join(artifacts, 'kernel-6.1/6.1.tar.gz')], { encoding: 'utf8' });
    expect(listed)
      .to.match(/^[\w-]+\/matrix\.json$/m)
      .and.to.match(/^[\w-]+\/kernels\/6\.1\/[\w-]+\/evidence\/note\.txt$/m);
  }

  /** The files on the history's branch. */
  function history(): string[] {
    return git(origin(), 'ls-tree', '-r', '--name-only', branch).split('\n').filter(Boolean);
  }
});

/** Jobs that are not part of the table of kernels. */
const besideTheTable = new Set(['fresh', 'proofs']);

/** "plan success, kernel success failure, ..." */
function resultsOf(jobs: Jobs): string {
  return [...jobs]
    .filter(([id]) => !besideTheTable.has(id))
    .map(([id, all]) => [id, ...all.map(({ result }) => result)].join(' '))
    .join(', ');
}

/** The output of the last script that printed something in a job. */
function outputOf(jobs: Jobs, id: string): string {
  return jobs.get(id)?.[0]?.steps.findLast(({ output }) => output !== '')?.output ?? '';
}

function git(cwd: string, ...words: string[]): string {
  return execFileSync('git', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
