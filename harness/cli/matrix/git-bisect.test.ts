import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { findProgram } from '../../setup/machine.mjs';
import { macvlab, main } from '../command-line.test-support.js';

/** An experiment that reads its outcome from a file of the commit, since a sandbox has only one kernel. */
const suiteOfCommit = `
import { readFileSync } from 'node:fs';
import { expect } from '../harness/expect/expect.js';
import { experiment, suite } from '../harness/run/experiment.js';
suite('T', {}, () => {
  experiment('T1.1', 'built kernel: passes or fails as the commit says', { key: 'as-the-commit-says' }, async ({ node1 }) => {
    const outcome = readFileSync('outcome', 'utf8');
    await node1.stack.run(['true'], 'reading');
    if (outcome === 'in trouble') throw new TypeError('a mistake of the suite');
    expect(outcome).to.equal('good');
  });
});
`;

type Outcome = 'good' | 'bad' | 'in trouble';

const missing = process.geteuid?.() === 0 ? (findProgram('git') ? '' : ' (skipped: git is missing)') : ' (needs root)';

describe(`git bisect run macvlab run --bisect${missing}`, function bisect() {
  this.timeout(120_000);
  let folder = '';
  let tree = '';
  let installed = '';

  before(function needs() {
    if (missing) this.skip();
  });

  /** Installs macvlab with that experiment only. Its imports find our packages. */
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-git-'));
    tree = join(folder, 'tree');
    installed = join(folder, 'macvlab');
    const project = fileURLToPath(new URL('../../../../', import.meta.url));
    mkdirSync(join(installed, 'dist/suites'), { recursive: true });
    cpSync(join(dirname(main), '..'), join(installed, 'dist/harness'), { recursive: true });
    for (const name of ['node_modules', 'package.json']) symlinkSync(join(project, name), join(installed, name));
    writeFileSync(join(installed, 'dist/suites/t.js'), suiteOfCommit);
    writeFileSync(
      join(installed, 'dist/harness/run/suite/expected-tests.js'),
      "export const expectedTests = { 'suites/t.ts': 1 };",
    );
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const settings = ['user.name=macvlab', 'user.email=macvlab@localhost', 'init.defaultBranch=main', 'core.hooksPath='];

  async function git(...words: string[]): Promise<{ status: number | null; said: string }> {
    const argv = [...settings.flatMap((each) => ['-c', each]), ...words];
    const env = { ...process.env, LC_ALL: 'C', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
    const child = spawn('git', argv, { cwd: tree, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [closed, said, more] = [once(child, 'close'), text(child.stdout), text(child.stderr)];
    await closed;
    return { status: child.exitCode, said: `${await said}${await more}` };
  }

  /** Makes commits with these outcomes, the first of them good and the last bad; begins a bisection. @returns their hashes */
  async function begin(outcomes: readonly Outcome[]): Promise<string[]> {
    mkdirSync(tree);
    await git('init', '--quiet');
    const hashes: string[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      writeFileSync(join(tree, 'outcome'), outcome);
      await git('add', 'outcome');
      await git('commit', '--quiet', '--allow-empty', '--message', `${index}: ${outcome}`);
      hashes.push((await git('rev-parse', 'HEAD')).said.trim());
    }
    const started = await git('bisect', 'start', hashes.at(-1) ?? '', hashes[0] ?? '');
    expect(started.status, started.said).to.equal(0);
    return hashes;
  }

  const run = (...words: string[]) =>
    git('bisect', 'run', process.execPath, join(installed, 'dist/harness/cli/main.js'), 'run', ...words);

  /** The outcomes of the commits that git has recorded with this word. */
  const log = async (word: 'good' | 'bad' | 'skip') =>
    [...(await git('bisect', 'log')).said.matchAll(new RegExp(`^# ${word}: \\[\\w+\\] \\d+: (.*)$`, 'gm'))].map(
      ([, outcome]) => outcome,
    );

  it('finds the commit, around those that cannot tell', async () => {
    const hashes = await begin(['good', 'good', 'good', 'bad', 'in trouble', 'in trouble', 'bad', 'bad']);
    const { status, said } = await run('--bisect', 'T1.1', '--out', join(folder, 'reports'));
    expect(status, said).to.equal(0);
    expect(said).to.include(`${hashes[3]} is the first bad commit`);
    expect(said).to.include('bisect: bad: 1 of 1 experiment failed (exit code 1)');
    expect(new Set(await log('good'))).to.deep.equal(new Set(['good']));
    expect(new Set(await log('bad'))).to.deep.equal(new Set(['bad']));
  });

  it('leaves it open where only commits that cannot tell are left', async () => {
    const hashes = await begin(['good', 'in trouble', 'bad']);
    const { status, said } = await run('--bisect', 'T1.1', '--out', join(folder, 'reports'));
    expect(status, said).to.equal(2);
    expect(said).to.include('cannot bisect more').and.to.include(hashes[1]).and.to.include(hashes[2]);
    expect(said).to.include('a mistake of the suite');
    expect(await log('skip')).to.deep.equal(['in trouble']);
  });

  for (const [what, words] of [
    ['an experiment that does not exist', ['--bisect', 'T9.9']],
    ['no experiment', ['--bisect']],
    ['an option that does not exist', ['--bisect', 'T1.1', '--kernl', '.']],
  ] as const) {
    it(`is ended by wrong usage, and no commit is accused: ${what}`, async () => {
      await begin(['good', 'good', 'good', 'bad']);
      const { status, said } = await run(...words);
      expect(said).to.include('USAGE: ').and.to.include('128');
      expect(status).to.be.above(2);
      expect([await log('good'), await log('bad'), await log('skip')]).to.deep.equal([['good'], ['bad'], []]);
    });
  }

  it('skips every commit when macvlab itself is broken', async () => {
    await begin(['good', 'good', 'bad']);
    rmSync(join(installed, 'dist/harness/cli/run/run.js'));
    const { said } = await run('--bisect', 'T1.1');
    expect(said).to.include('INTERNAL: ');
    expect([await log('bad'), await log('skip')]).to.deep.equal([['bad'], ['good']]);
  });

  it('skips a commit whose tree is not built, or has something else in its place', async () => {
    await begin(['good', 'bad']);
    for (const kernel of ['.', './outcome', './bzImage']) {
      const words = ['run', '--kernel', kernel, '--bisect', 'A1.1', '--out', join(folder, 'reports')];
      const { status, stderr } = await macvlab(words, { cwd: tree });
      expect(stderr, kernel).to.include('bisect: cannot tell, skip it: ').and.to.include('(exit code 125)');
      expect(status, kernel).to.equal(125);
    }
  });
});
