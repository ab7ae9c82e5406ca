import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { asJson } from '../../core/report-files.js';
import { exportedTests } from '../../report/export/exported-tests.js';
import { runOfEachStatus } from '../../report/export/exported-run.test-support.js';
import { kcidbSchema, nipaSchema, tmtSchema } from '../../report/export/formats.test-support.js';
import { statusWords } from '../../report/export/status.js';
import { readRun } from '../../run/read-run.js';
import { runInLabs } from '../../run/run-suites.test-support.js';
import { needs, needsRoot } from '../../setup/needs.test-support.js';
import { macvlab } from '../command-line.test-support.js';

const nipaWords = ['--executor', 'macvlab', '--branch', 'b1', '--url-base', 'https://ci.example.org/r1'];

describe('macvlab export', function () {
  this.timeout(120_000);
  let cwd: string;
  let folder: string;

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'macvlab-export-'));
    folder = join(cwd, 'run');
    const { run, records } = runOfEachStatus();
    mkdirSync(join(folder, 'records'), { recursive: true });
    writeFileSync(join(folder, 'run.json'), asJson(run));
    for (const record of records) writeFileSync(join(folder, 'records', `${record.number}.json`), asJson(record));
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  /** Changes a JSON file of the run. */
  function change(file: string, changes: Record<string, unknown>): void {
    const path = join(folder, file);
    const value = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, asJson({ ...value, ...changes }));
  }

  it('each format: the document on standard output, and nothing else', async () => {
    const read: Record<string, (text: string) => unknown> = {
      ktap: (text) => expect(text).to.match(/^TAP version 13\n1\.\.7\n[^]*\n# Totals: pass:2 fail:2 .* error:2\n$/),
      nipa: (text) => nipaSchema.parse(JSON.parse(text)),
      kcidb: (text) => kcidbSchema.parse(JSON.parse(text)),
      tmt: (text) => tmtSchema.parse(parse(text)),
      lava: (text) =>
        expect(text).to.match(/^<LAVA_SIGNAL_TESTSET START macvlab>\n[^]*\n<LAVA_SIGNAL_TESTSET STOP>\n$/),
    };
    const options: Record<string, string[]> = { nipa: nipaWords, kcidb: ['--origin', 'mylab'] };
    for (const [format, check] of Object.entries(read)) {
      const { status, stdout, stderr } = await macvlab(['export', format, ...(options[format] ?? []), folder], { cwd });
      expect({ status, stderr }, format).to.deep.equal({ status: 0, stderr: '' });
      check(stdout);
    }
    expect(readdirSync(cwd)).to.deep.equal(['run']);
  });

  it('--known: a failure that the file expects is a known one', async () => {
    const known = [
      {
        name: 'ours',
        about: { experiment: 'a1-fails' },
        kernels: '<6.2',
        expected: 'failed',
        reason: 'r',
        source: 's',
      },
    ];
    writeFileSync(join(cwd, 'known.json'), asJson(known));
    const { stdout } = await macvlab(['export', 'ktap', folder, '--known', 'known.json'], { cwd });
    expect(stdout).to.include('\nok 2 a1-fails # XFAIL ours: r\n').and.to.include('\nnot ok 3 x4-known # time=');
  });

  it('--out: a whole file, with logs relative to it', async () => {
    const { stdout, stderr, status } = await macvlab(['export', 'tmt', folder, '--out', 'results.yaml'], { cwd });
    expect({ stdout, stderr, status }).to.deep.equal({ stdout: '', stderr: '', status: 0 });
    const written = tmtSchema.parse(parse(readFileSync(join(cwd, 'results.yaml'), 'utf8')));
    expect(written[1]?.log?.[0]).to.equal('run/evidence/002-a1.2/a1.2-frames.txt');
  });

  it('--tree: the commit of the tree, with the hash of its changes and without a password', async function () {
    needs(this, 'git');
    const tree = join(cwd, 'tree');
    mkdirSync(tree);
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const git = (...words: string[]) => execFileSync('git', words, { cwd: tree, env, encoding: 'utf8', stdio: 'pipe' });
    git('init', '--quiet', '--initial-branch', 'net-next');
    writeFileSync(join(tree, 'file'), 'a\n');
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '-m', 'first');
    git('remote', 'add', 'origin', 'https://user:secret@example.org/linux.git');
    const document = async () => {
      const { stdout, stderr } = await macvlab(['export', 'kcidb', folder, '--origin', 'm', '--tree', tree], { cwd });
      expect(stderr).to.equal('');
      return kcidbSchema.parse(JSON.parse(stdout)).checkouts[0]!;
    };
    const { git_commit_hash, git_repository_branch, git_repository_url, patchset_hash } = await document();
    expect({ git_commit_hash, git_repository_branch, git_repository_url, patchset_hash }).to.deep.equal({
      git_commit_hash: git('rev-parse', 'HEAD').trim(),
      git_repository_branch: 'net-next',
      git_repository_url: 'https://example.org/linux.git',
      patchset_hash: '',
    });
    writeFileSync(join(tree, 'file'), 'b\n');
    const shell = 'git diff --binary HEAD >../a.patch; sha256sum ../a.patch | cut -c-64 | sha256sum | cut -c-64';
    const hash = execFileSync('sh', ['-c', shell], { cwd: tree, env, encoding: 'utf8' }).trim();
    expect((await document()).patchset_hash).to.equal(hash);
  });

  it('each command line of docs/interop.md: it writes a document', async () => {
    const page = readFileSync(new URL('../../../../docs/interop.md', import.meta.url), 'utf8');
    const lines = [...page.matchAll(/^ *npx macvlab (export .*)$/gm)].map(([, line = '']) => line);
    expect(lines.map((line) => line.split(' ')[1])).to.deep.equal(['ktap', 'nipa', 'kcidb', 'tmt', 'tmt', 'lava']);
    mkdirSync(join(cwd, 'reports'));
    cpSync(folder, join(cwd, 'reports', 'latest'), { recursive: true });
    const values: Record<string, string> = { BRANCH: 'b1', URL: 'https://ci.example.org/r1', ORIGIN: 'mylab' };
    for (const line of lines) {
      const words = line
        .replace('--tree "$LINUX" ', '')
        .replaceAll('$TMT_TEST_DATA/run', 'reports')
        .replaceAll('$TMT_TEST_DATA', '.')
        .replace(/\$([A-Z]+)/g, (_, name: string) => values[name] ?? name)
        .replaceAll('"', '');
      const { status, stdout, stderr } = await macvlab(words.split(' '), { cwd });
      expect({ status, stderr }, line).to.deep.equal({ status: 0, stderr: '' });
      const out = /--out (\S+)/.exec(words)?.[1];
      expect(out === undefined ? stdout : readFileSync(join(cwd, out), 'utf8'), line).to.have.lengthOf.above(300);
    }
  });

  describe('bad input', () => {
    /** One message with the next step, exit code 2, and no output. */
    async function refused(words: readonly string[], message: string, next: string): Promise<void> {
      const { status, stdout, stderr } = await macvlab(['export', ...words], { cwd });
      expect(stderr)
        .to.include(message)
        .and.to.match(/^USAGE: /m);
      expect(stderr.match(/^ {2}next: .*$/gm)).to.have.lengthOf(1);
      expect(stderr).to.include(next);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
      expect(readdirSync(cwd)).to.deep.equal(['run']);
    }

    for (const [words, message, next] of [
      [['junit'], "unknown command 'junit'", 'macvlab export --help'],
      [[], 'no command was given', 'macvlab export --help'],
      [['ktap', 'none', '--out', 'out'], 'there is no run in ', 'macvlab run'],
      [['ktap'], 'there is no run in ', 'reports/latest'],
      [['ktap', '.'], 'has no run.json', 'reports/latest'],
      [['ktap', 'run', '--known', 'none'], 'known differences in none', '--known'],
      [['nipa', 'run'], "required option '--executor <name>'", '--help'],
      [['nipa', 'run', '--executor', 'a', '--branch', 'b', '--url-base', 'ftp://x'], 'must be a URL', '--help'],
      [['nipa', 'run', '--executor', ' ', '--branch', 'b', '--url-base', 'http://x'], 'must not be empty', '--help'],
      [['kcidb', 'run', '--origin', 'My Lab'], 'Allowed are a-z, 0-9 and _', '--help'],
    ] as const) {
      it(`${['export', ...words].join(' ')}: one message with the next step`, () => refused(words, message, next));
    }

    it('a tree without a commit: one message', async function () {
      needs(this, 'git');
      await refused(['kcidb', 'run', '--origin', 'm', '--tree', '.'], 'could not read the commit of .', '--tree');
    });

    it('a run that has not ended', async () => {
      change('run.json', { endedAt: undefined });
      await refused(['lava', 'run'], 'has not ended', 'wait until it ends');
    });

    it('a record or a run of another schema', async () => {
      change('records/3.json', { schema: 7 });
      await refused(['ktap', 'run'], 'records/3.json has schema 7', 'the version of macvlab that wrote it');
      change('run.json', { schema: 9 });
      await refused(['ktap', 'run'], 'run.json has schema 9', 'the version of macvlab that wrote it');
    });

    it('a damaged record', async () => {
      writeFileSync(join(folder, 'records', '3.json'), '{"schema": 2');
      await refused(['ktap', 'run'], 'records/3.json cannot be read', 'if this file alone is damaged');
    });

    it('the folder of a matrix', async () => {
      cpSync(join(folder, 'run.json'), join(folder, 'matrix.json'));
      rmSync(join(folder, 'run.json'));
      await refused(['ktap', 'run'], 'is a matrix of several runs', 'kernels/*/*');
    });
  });

  it('a folder that cannot be written: an error, and no file', async () => {
    const { status, stderr } = await macvlab(['export', 'ktap', folder, '--out', 'none/results'], { cwd });
    expect(stderr).to.match(/^OUT_NOT_WRITABLE: /);
    expect(status).to.equal(2);
  });
});

describe('exports of a real run (needs root)', function () {
  this.timeout(180_000);
  let out: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-export-'))));
  afterEach(() => rmSync(out, { recursive: true, force: true }));

  it('with a failed and a skipped experiment: all formats agree with its records', async () => {
    const filters = ['A1.1', 'A1.3', 'a1-promiscuous-bridge-none'];
    const { run } = await runInLabs({ filters, out, labs: { sandbox: 'reflecting' } });
    const folder = join(out, run.id);
    const { records } = await readRun(folder);
    const tests = exportedTests(await readRun(folder), []);
    expect(tests.map(({ status }) => status)).to.include.members(['passed', 'failed', 'skipped']);
    expect(tests.map(({ status }) => status)).to.deep.equal(records.map(({ verdict }) => verdict));
    const outputOf = async (...words: string[]) => (await macvlab(['export', ...words, folder])).stdout;
    const expected = (format: 'nipa' | 'kcidb' | 'lava') =>
      tests.map(({ key, status }) => `${key} ${statusWords[status][format]}`);
    const ktap = [...(await outputOf('ktap')).matchAll(/^((?:not )?ok) \d+ (\S+) # (SKIP)?/gm)];
    expect(ktap.map(([, line, key, skip]) => [key, line, skip].filter(Boolean).join(' '))).to.deep.equal(
      tests.map(({ key, status }) =>
        [key, statusWords[status].ktap.line, statusWords[status].ktap.directive].filter(Boolean).join(' '),
      ),
    );
    const nipa = nipaSchema.parse(JSON.parse(await outputOf('nipa', ...nipaWords)));
    const subtests = nipa.results.flatMap(({ results = [] }) => results);
    expect(subtests.map(({ test, result }) => `${test} ${result}`)).to.deep.equal(expected('nipa'));
    const kcidb = kcidbSchema.parse(JSON.parse(await outputOf('kcidb', '--origin', 'm')));
    expect(kcidb.tests.map(({ path, status }) => `${path.replace('macvlab.', '')} ${status}`)).to.deep.equal(
      expected('kcidb'),
    );
    const tmt = tmtSchema.parse(parse(await outputOf('tmt')));
    expect(tmt.map(({ name, result }) => `${name.slice(1)} ${result}`)).to.deep.equal(
      tests.map(({ key, status }) => `${key} ${statusWords[status].tmt.result}`),
    );
    const lava = [...(await outputOf('lava')).matchAll(/TEST_CASE_ID=(\S+) RESULT=(\w+)/g)];
    expect(lava.map(([, id, result]) => `${id} ${result}`)).to.deep.equal(expected('lava'));
  });

  it('--reporter ktap --exit kselftest: only KTAP on standard output, and 0, 4 or 5', async () => {
    const run = async (...words: string[]) => {
      const options = ['--reporter', 'ktap', '--exit', 'kselftest', '--out', out];
      return macvlab(['run', ...words, ...options]);
    };
    const passed = await run('--lab', 'sandbox', 'a1-bridge-to-gateway');
    expect(passed.stdout).to.match(/^TAP version 13\n1\.\.1\nok 1 a1-bridge-to-gateway # time=\d+ms\n# Totals: .*\n$/);
    expect(passed.stdout).to.equal((await macvlab(['export', 'ktap', join(out, 'latest')])).stdout);
    const skipped = await run('--lab', 'sandbox', 'a1-promiscuous-bridge-none');
    expect(skipped.stdout).to.include('\nok 1 a1-promiscuous-bridge-none # SKIP needs ');
    const words = ['--lab', 'container', '--reporter', 'ktap', '--exit', 'kselftest', '--out', out];
    const env = { DOCKER_HOST: `unix://${join(out, 'none')}` };
    const broken = await macvlab(['run', 'a1-bridge-to-gateway', ...words], { env });
    expect(broken.stdout).to.match(/^TAP version 13\n1\.\.1\n[^]*\nBail out! [^]*\n# Totals: pass:0 .* error:1\n$/);
    expect([passed.status, skipped.status, broken.status]).to.deep.equal([0, 4, 5]);
  });
});
