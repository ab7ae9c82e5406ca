import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Changes, timeout } from '../../core/wait.js';
import { sandboxDriver } from '../../machine/sandbox/sandbox.js';
import { needsRoot } from '../../setup/needs.test-support.js';
import { watchSuites } from './watch.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));

describe('run --watch (needs root)', function watching() {
  this.timeout(120_000);
  let root: string;
  let state: string | undefined;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'macvlab-watch-'));
    state = process.env.MACVLAB_STATE;
    process.env.MACVLAB_STATE = join(root, 'state');
  });
  afterEach(() => {
    if (state === undefined) delete process.env.MACVLAB_STATE;
    else process.env.MACVLAB_STATE = state;
    rmSync(root, { recursive: true });
  });

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }

  /** A checkout whose compiler refuses a suite with a mistake, and whose program is macvlab itself. */
  function makeCheckout(): void {
    write('tsconfig.json', '{}');
    write('suites/one.ts', 'first');
    const source = JSON.stringify(join(root, 'suites/one.ts'));
    write(
      'harness/setup/main.mjs',
      `import { readFileSync } from 'node:fs'; process.exitCode = readFileSync(${source}, 'utf8') === 'mistake' ? 1 : 0;`,
    );
    write('dist/harness/cli/main.js', `await import(${JSON.stringify(main)});`);
    write('dist/package.json', '{"type": "module"}');
  }

  /** The runs that have ended, in their order. */
  const runs = () => {
    const out = join(root, 'reports');
    return (existsSync(out) ? readdirSync(out) : [])
      .filter((name) => existsSync(join(out, name, 'junit.xml')) && name !== 'latest')
      .toSorted();
  };

  it('runs in one lab, again after a change that compiles, until it is interrupted', async () => {
    makeCheckout();
    const notes: string[] = [];
    const changes = new Changes();
    const interruption = new AbortController();
    const ended = watchSuites({
      root,
      run: ['run', 'a1-vepa-to-sibling', '--reporter', 'junit', '--out', join(root, 'reports')],
      driver: sandboxDriver,
      signal: interruption.signal,
      note(line) {
        notes.push(line);
        changes.notify();
      },
    });
    const waits = (times: number) =>
      changes.until(() => notes.length >= times || undefined, {
        what: `the watch to wait for a change, time ${times}`,
        deadline: timeout(40_000),
        evidence: () => notes.join('\n'),
      });
    await waits(1);
    expect(runs()).to.have.lengthOf(1);
    const labs = readdirSync(join(root, 'state'));
    expect(labs).to.deep.equal([`watch-${process.pid}.json`]);
    const lab = readFileSync(join(root, 'state', labs[0] ?? ''), 'utf8');

    write('suites/one.ts', 'mistake');
    await waits(2);
    expect(runs(), 'a suite that does not compile is not run').to.have.lengthOf(1);

    write('suites/one.ts', 'corrected');
    await waits(3);
    const [, second = ''] = runs();
    expect(readFileSync(join(root, 'state', labs[0] ?? ''), 'utf8'), 'the lab is the same').to.equal(lab);
    const [record = ''] = readdirSync(join(root, 'reports', second, 'records'));
    const { verdict } = JSON.parse(readFileSync(join(root, 'reports', second, 'records', record), 'utf8')) as {
      verdict: string;
    };
    expect(verdict).to.equal('passed');

    interruption.abort();
    expect(await ended).to.equal(0);
    expect(new Set(notes)).to.deep.equal(new Set(['waiting for a change in suites/; Ctrl-C ends']));
    expect(readdirSync(join(root, 'state'))).to.deep.equal([]);
  });

  it('is refused outside a checkout, and with options that do not fit', async () => {
    const options = {
      root,
      run: [],
      driver: sandboxDriver,
      signal: new AbortController().signal,
      note: () => undefined,
    };
    const error = await watchSuites(options).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', 'USAGE');
    for (const unfit of [['--keep', 'always'], ['--dry-run'], ['--lab', 'vm']]) {
      const { status, stderr } = spawnSync(process.execPath, [main, 'run', 'A1', '--watch', ...unfit], {
        encoding: 'utf8',
      });
      expect(status, stderr).to.equal(2);
      expect(stderr).to.include(unfit.join(' ').replace(' always', ''));
    }
  });
});
