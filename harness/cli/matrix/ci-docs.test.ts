import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { TestArchive } from '../../kernel/debian/archive.test-support.js';
import type { JobPlan } from '../../matrix/plan/job-plan.js';
import type { GitlabPipeline } from '../../report/matrix/ci-jobs.js';
import { putCiPrograms } from './ci-programs.test-support.js';
import { macvlab } from '../command-line.test-support.js';
import { leaveMatrix } from './left-matrix.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

const page = readFileSync(fileURLToPath(new URL('../../../../docs/ci.md', import.meta.url)), 'utf8');

/** The page’s blocks of a language that are not indented. */
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);

interface GitlabJob {
  script: string[];
  artifacts: { paths: string[] };
  trigger: { include: { artifact: string; job: string }[]; strategy: string };
}

const [parent, child] = blocks('yaml').map((text) => parse(text) as Record<string, GitlabJob>);
const release = '6.12.7+deb13-cloud-amd64';

describe('what docs/ci.md says', function () {
  this.timeout(60_000);
  let folder = '';
  let archive: TestArchive | undefined;
  let env: Record<string, string> = {};

  before(function () {
    needs(this, 'apt-get', 'dpkg-deb', 'gpg', 'gpgv');
    folder = mkdtempSync(join(tmpdir(), 'macvlab-ci-docs-'));
    archive = new TestArchive(join(folder, 'debian'));
    archive.publish([{ name: `linux-image-${release}`, version: '6.12.7-1' }]);
    const programs = join(folder, 'programs');
    putCiPrograms(programs);
    env = {
      ...archive.environment,
      ...{ MACVLAB_CACHE: join(folder, 'cache'), MACVLAB_STATE: join(folder, 'state') },
      ...{ PATH: `${programs}:${process.env['PATH'] ?? ''}`, NOTES: join(folder, 'notes'), CI: 'true' },
    };
  });

  after(() => {
    archive?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a script as GitLab’s runner does on a machine without bash. */
  const perform = (cwd: string, script: readonly string[], more: Record<string, string> = {}) =>
    spawnSync('sh', ['-e', '-c', script.join('\n')], {
      cwd,
      env: { ...process.env, ...env, ...more },
      encoding: 'utf8',
    });

  it('is a plan for GitLab, made and included under one name, which completes what stands beside it', () => {
    const cwd = mkdtempSync(join(folder, 'plan-'));
    const { status, stderr } = perform(cwd, parent?.['plan']?.script ?? []);
    expect(status, stderr).to.equal(0);
    const [file = ''] = parent?.['plan']?.artifacts.paths ?? [];
    expect(readdirSync(cwd)).to.deep.equal([file]);
    // GitLab refuses to include files with other names.
    expect(file).to.match(/\.ya?ml$/);
    expect(parent?.['kernels']?.trigger).to.deep.equal({
      include: [{ artifact: file, job: 'plan' }],
      strategy: 'depend',
    });

    const pipeline = parse(readFileSync(join(cwd, file), 'utf8')) as GitlabPipeline;
    expect(page).to.include(`is in \`${pipeline.include[0]?.local}\`, which it includes`);
    expect(Object.keys(child ?? {})).to.include(pipeline.kernel.extends);
    expect(pipeline.kernel.parallel.matrix).to.deep.equal([{ MACVLAB_KERNELS: '6.12=6.12.7-1' }]);
  });

  it('is a table for GitLab that records what is whole, and only compares what is not', async () => {
    const { stdout } = await macvlab(['matrix', '--kernels', '6.12', 'A1.3', '--plan', 'json'], { env });
    const { experiments } = JSON.parse(stdout) as JobPlan;
    const cwd = mkdtempSync(join(folder, 'table-'));
    const night = (startedAt: string, jobs: number, failing: string[] = []) => {
      rmSync(join(cwd, 'reports'), { recursive: true, force: true });
      leaveMatrix(join(cwd, 'reports'), { version: '6.12.7', release, experiments }, { startedAt, failing });
      writeFileSync(join(cwd, 'reports/README.md'), '');
      // The artifacts do not contain it.
      rmSync(join(cwd, 'reports/latest-matrix'));
      return perform(cwd, child?.['table']?.script ?? [], { MACVLAB_JOBS: `${jobs}` });
    };
    const history = () => readdirSync(join(cwd, 'history'));

    const first = night('2026-11-21T02:23:00.000Z', 1);
    expect(first.status, first.stderr).to.equal(0);
    expect(history()).to.deep.equal(['20261121-022300.json']);
    const partial = night('2026-11-22T02:23:00.000Z', 2, ['A1.3']);
    expect(partial.status, partial.stderr).to.equal(1);
    expect(history()).to.have.length(1);
    const worse = night('2026-11-23T02:23:00.000Z', 1, ['A1.3']);
    expect(worse.status, worse.stderr).to.equal(1);
    expect(history()).to.have.length(2);
    const same = night('2026-11-24T02:23:00.000Z', 1, ['A1.3']);
    expect(same.status, same.stderr).to.equal(0);

    const [merged = ''] = readdirSync(join(cwd, 'merged')).filter((name) => /^\d/.test(name));
    const uploaded = child?.['table']?.artifacts.paths.map((path) => path.replace('merged/*/', '')) ?? [];
    expect(readdirSync(join(cwd, 'merged', merged))).to.include.members([...uploaded, 'junit.xml']);
  });

  it('is command lines that are taken', () => {
    const lines = blocks('sh').flatMap((block) =>
      block.split('\n').filter((line) => line.includes('npx macvlab matrix')),
    );
    expect(lines.length).to.be.above(5);
    const cwd = mkdtempSync(join(folder, 'lines-'));
    for (const line of lines) {
      const [, words = ''] = /npx macvlab matrix ([^>|#]*)/.exec(line) ?? [];
      const planned = words.includes('--plan') ? words : `--plan text ${words}`;
      const { status, stderr } = perform(cwd, [`npx macvlab matrix ${planned.trim()}`], { HOME: cwd });
      expect(status, `${line}\n${stderr}`).to.equal(0);
    }
  });
});
