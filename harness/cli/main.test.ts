import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { macvlab, main } from './command-line.test-support.js';

describe('the command line', function () {
  this.timeout(60_000);
  let cwd = '';
  let env: NodeJS.ProcessEnv = {};

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'macvlab-cli-'));
    env = { MACVLAB_STATE: join(cwd, 'state') };
  });

  afterEach(() => {
    rmSync(cwd, { recursive: true, force: true });
  });

  for (const [words, said] of [
    [[], 'no command was given'],
    [['bogus'], "unknown command 'bogus'"],
    [['rnu'], 'Did you mean run?'],
    [['run', '--bogus'], "unknown option '--bogus'"],
    [['run', '--lab', 'mars'], 'Allowed choices are auto, sandbox, vm'],
    [['run', '--mode', 'x'], 'private, vepa, bridge, passthru, source'],
    [['run', '--keep', 'x'], 'never, on-failure, always'],
    [['run', '--reporter', 'x'], 'terminal, junit, json, lines, ktap'],
    [['run', '--reporter', 'json,ktap'], 'json and ktap both need the whole of standard output'],
    [['run', '--exit', 'x'], 'macvlab, kselftest'],
    [['run', '--known', 'none.yaml', 'A1.3'], 'known differences in none.yaml'],
    [['run', '--jobs', '0'], 'whole number from 1'],
    [['run', '--out'], 'argument missing'],
    [['run', '--config', 'none.yaml'], 'none.yaml'],
    [['matrix', '--kernels', '6.12', '--baseline', '-', 'A1.3'], 'is read as well as written'],
    [['list', '--mode', 'x'], 'Allowed choices'],
    [['lab'], 'no command was given'],
    [['lab', 'shell'], "missing required argument 'node'"],
    [['lab', 'shell', 'node3'], 'node1, node2, switch, router, client'],
    [['lab', 'up', '--name', '../x'], 'cannot be the name of a lab'],
    [['lab', 'down', '--all', '--name', 'x'], 'exclude each other'],
    [['lab', 'capture', 'node1', '--count', 'x'], 'whole number from 1'],
    [['lab', 'shell', 'node1'], 'LAB_UNKNOWN: no lab is running'],
    [['lab', 'down'], 'begin one with `macvlab lab up`'],
    [['gc', 'x'], 'too many arguments'],
  ] as const) {
    it(`refuses \`macvlab ${words.join(' ')}\` with a next step and exit code 2`, async () => {
      const { status, stdout, stderr } = await macvlab(words, { cwd, env });
      expect(stderr)
        .to.include(said)
        .and.to.match(/^ {2}next: /m);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
      expect(readdirSync(cwd)).to.deep.equal([]);
    });
  }

  it('refuses a wrong configuration file of the current folder before anything is made', async () => {
    writeFileSync(join(cwd, 'macvlab.config.yaml'), 'colour: red\n');
    const { status, stderr } = await macvlab(['run'], { cwd, env });
    expect(stderr).to.include('macvlab.config.yaml').and.to.include('colour: there is no such key');
    expect(status).to.equal(2);
    expect(readdirSync(cwd)).to.deep.equal(['macvlab.config.yaml']);
  });

  it('refuses a folder for reports that cannot be one', async () => {
    writeFileSync(join(cwd, 'file'), '');
    const { status, stderr } = await macvlab(['run', '--out', 'file'], { cwd, env });
    expect(stderr).to.include('OUT_NOT_WRITABLE');
    expect(status).to.equal(2);
  });

  it('refuses two options that choose the exit codes, with the exit code that ends a bisection', async () => {
    const { status, stderr } = await macvlab(['run', '--exit', 'kselftest', '--bisect', 'A1.3'], { cwd, env });
    expect(stderr)
      .to.include('both choose the exit codes')
      .and.to.match(/^ {2}next: /m);
    expect(status).to.equal(128);
    expect(readdirSync(cwd)).to.deep.equal([]);
  });

  it('refuses a filter that matches nothing', async () => {
    for (const command of ['run', 'list']) {
      const { status, stderr } = await macvlab([command, 'no such thing'], { cwd, env });
      expect(stderr).to.include('no experiment matches "no such thing"').and.to.include('A1.1');
      expect(status).to.equal(2);
    }
    expect(readdirSync(cwd)).to.deep.equal([]);
  });

  for (const words of [['--help'], ['help', 'run'], ['run', '--help'], ['lab', '--help'], ['lab', 'shell', '--help']]) {
    it(`explains itself: \`macvlab ${words.join(' ')}\``, async () => {
      const { status, stdout, stderr } = await macvlab(words, { cwd, env });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      expect(stdout).to.include('Usage: macvlab').and.to.include('Examples:');
    });
  }

  it('tells its version', async () => {
    const { status, stdout } = await macvlab(['--version'], { cwd, env });
    expect(status).to.equal(0);
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('a filter that matches nothing: the ids in order, and what may have been meant', async () => {
    const { stderr } = await macvlab(['list', 'hairpn'], { cwd, env });
    expect(stderr)
      .to.include('did you mean hairpin?')
      .and.to.match(/ A0\.1 A0\.2 .* A0\.9 A0\.10 .* A1\.6 A1\.7 .* X9\.5 X9\.6 /);
    expect((await macvlab(['list', 'A1.9'], { cwd, env })).stderr).to.include('did you mean A1.');
    expect((await macvlab(['list', 'no such thing'], { cwd, env })).stderr).not.to.include('did you mean');
  });

  it('a filter behind --reporter, and several reporters in one word or two options', async () => {
    for (const words of [
      ['run', '--reporter', 'lines', 'A1.9'],
      ['run', '--reporter', 'lines,json', 'A1.9'],
      ['run', '--reporter', 'lines', '--reporter', 'json', 'A1.9'],
    ]) {
      const { stderr, status } = await macvlab(words, { cwd, env });
      expect(stderr).to.include('no experiment matches "A1.9"');
      expect(status).to.equal(2);
    }
    const wrong = await macvlab(['run', '--reporter', 'lines,jnit', 'A1.1'], { cwd, env });
    expect(wrong.stderr).to.include('Allowed choices are terminal, junit, json, lines');
  });

  it('a locale without UTF-8: ASCII alone', async () => {
    for (const words of [['run', '--help'], ['list', '--json'], ['list'], ['list', '“nothing”']]) {
      const { stdout, stderr } = await macvlab(words, { cwd, env: { ...env, LC_ALL: 'C' } });
      expect(stdout + stderr).to.match(/^[\n\x20-\x7e]+$/);
    }
    const given = await macvlab(['list', '“nothing”'], { cwd, env: { ...env, LC_ALL: 'C' } });
    expect(given.stderr).to.include('no experiment matches ""nothing""');
    const [ascii, utf8] = await Promise.all(
      ['C', 'de_DE.UTF-8'].map(
        async (LC_ALL) => (await macvlab(['list', '--json'], { cwd, env: { ...env, LC_ALL } })).stdout,
      ),
    );
    expect(JSON.parse(ascii ?? '')).to.deep.equal(JSON.parse(utf8 ?? ''));
  });

  it('lists experiments, also for programs', async () => {
    const shown = await macvlab(['list', 'A1.1'], { cwd, env });
    expect(shown.stdout).to.match(/^ {2}A1\.1 {2}a1-bridge-to-gateway +bridge, .*modes: bridge$/m);
    const byKey = await macvlab(['list', 'A1-bridge-to-Gateway', '--json'], { cwd, env });
    expect(JSON.parse(byKey.stdout)).to.have.lengthOf(1).with.nested.property('[0].key', 'a1-bridge-to-gateway');
    const { status, stdout } = await macvlab(['list', '--mode', 'vepa', '--json'], { cwd, env });
    const all = JSON.parse(stdout) as Record<string, unknown>[];
    expect(status).to.equal(0);
    expect(all).to.not.be.empty;
    for (const one of all) {
      expect(one).to.have.all.keys('key', 'id', 'title', 'suite', 'file', 'modes', 'needs');
      expect(one.modes).to.include('vepa');
    }
  });

  /** Runs a command line in bash, in which M is macvlab. */
  const inBash = (line: string) =>
    spawnSync('bash', ['-c', line.replaceAll('M ', '"$0" "$1" '), process.execPath, main], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });

  for (const words of [
    'list',
    'list --json',
    'doctor',
    'doctor --json',
    'lab status',
    'kernels list',
    'gc',
    '--help',
  ]) {
    it(`output that is lost is an error, and no bug: \`macvlab ${words} >/dev/full\``, () => {
      const { status, stderr } = inBash(`M ${words} >/dev/full`);
      expect(stderr).to.match(
        /^OUT_NOT_WRITABLE: not all of standard output could be written\n.*ENOSPC.*\n {2}next: /m,
      );
      expect(stderr).not.to.match(/INTERNAL|at .*:\d+:\d+/);
      // if doctor finds a missing prerequisite, as without root, it keeps its exit code
      expect(status).to.equal(inBash(`M ${words} >/dev/null`).status || 2);
    });
  }

  for (const reporter of ['json', 'terminal', 'lines', 'junit', 'ktap']) {
    it(`a run whose output is lost is an error: \`--reporter ${reporter} >/dev/full\` (needs root)`, function () {
      if (process.geteuid?.() !== 0) this.skip();
      const { status, stderr } = inBash(`M run --lab sandbox --reporter ${reporter} A1.2 >/dev/full`);
      expect(stderr)
        .to.match(/^OUT_NOT_WRITABLE: .*\n.*ENOSPC/m)
        .and.not.to.include('INTERNAL');
      expect(status).to.equal(2);
    });
  }

  it('is quiet when nobody reads on', () => {
    const { status, stdout, stderr } = inBash('set -o pipefail; M list | head -n 1');
    expect(stdout).to.match(/^A.*\n$/);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  });

  it('has nothing to clear away where nothing is', async () => {
    expect(await macvlab(['gc'], { cwd, env })).to.deep.equal({
      status: 0,
      stdout: 'nothing was left behind\n',
      stderr: '',
    });
    const { stdout } = await macvlab(['lab', 'status'], { cwd, env });
    expect(stdout).to.include('no lab is running');
  });

  it('examines the machine, in words and as JSON', async () => {
    const shown = await macvlab(['doctor'], { cwd, env });
    const { status, stdout } = await macvlab(['doctor', '--json'], { cwd, env });
    const { ok, findings, about } = JSON.parse(stdout) as { ok: boolean; findings: object[]; about: object };
    expect([shown.status, status]).to.deep.equal(ok ? [0, 0] : [3, 3]);
    expect(about).to.include({ node: process.version, 'kept labs': 'none' });
    for (const finding of findings) {
      expect(finding).to.include.all.keys('what', 'found', 'detail');
      const { found, what } = finding as { found: boolean; what: string };
      expect('next' in finding).to.equal(!found);
      expect(shown.stdout).to.match(new RegExp(`^${found ? 'ok' : 'MISSING'} +${what}`, 'm'));
    }
  });
});
