import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import Mocha, { type Context } from 'mocha';
import { needs, skip } from './needs.test-support.js';
import { promisedTools } from './tools.mjs';

/** The titles of skipped tests, and the messages of failed ones, in a suite of one test. */
async function outcomeOf({
  before = () => undefined,
  test = () => undefined,
}: Record<string, (context: Context) => void>) {
  const mocha = new Mocha({ reporter: function silent() {} as unknown as Mocha.ReporterConstructor });
  const suite = Mocha.Suite.create(mocha.suite, 'a suite');
  suite.beforeAll(function (this: Context) {
    before(this);
  });
  suite.addTest(
    new Mocha.Test('a test', function (this: Context) {
      test(this);
    }),
  );
  const skipped: string[] = [];
  const failed: string[] = [];
  await new Promise<void>((resolve) => {
    mocha
      .run(() => resolve())
      .on('pending', (pending: Mocha.Test) => skipped.push(pending.fullTitle()))
      .on('fail', (_, error: Error) => failed.push(error.message));
  });
  return { skipped, failed };
}

/** Programs of the packages that Debian marks as required (Policy, 2.5), shell built-ins, and npm, which runs the tests. */
const always = ['/bin/sh', 'cp', 'ldd', 'ls', 'mkfifo', 'mv', 'npm', 'printf', 'true'];

describe('what tests need of a machine', () => {
  const ci = process.env.CI;
  beforeEach(() => delete process.env.CI);
  afterEach(() => {
    if (ci !== undefined) process.env.CI = ci;
  });

  it('is told in the title of a skipped test, and of the suite of a skipping hook', async () => {
    const inTest = await outcomeOf({ test: (context) => skip(context, 'no sea') });
    expect(inTest).to.deep.equal({ skipped: ['a suite a test (skipped: no sea)'], failed: [] });
    const inHook = await outcomeOf({ before: (context) => skip(context, 'no sea') });
    expect(inHook).to.deep.equal({ skipped: ['a suite (skipped: no sea) a test'], failed: [] });
  });

  it('is missing where a program is not installed; in CI that is a failure, for root', async () => {
    const { PATH } = process.env;
    promisedTools.add('no-such-program');
    try {
      const calls = (context: Context) => needs(context, 'sh', 'no-such-program');
      const { skipped } = await outcomeOf({ test: calls });
      expect(skipped).to.deep.equal(['a suite a test (skipped: no-such-program not installed)']);
      process.env.CI = 'true';
      const { failed } = await outcomeOf({ test: calls });
      expect(failed).to.deep.equal(
        process.geteuid?.() === 0 ? ['no-such-program not installed, and CI promises it'] : [],
      );
    } finally {
      promisedTools.delete('no-such-program');
      process.env.PATH = PATH;
    }
  });

  it('is never a program that the set-up does not know', async () => {
    const { failed } = await outcomeOf({ test: (context) => needs(context, 'cowsay') });
    expect(failed.join()).to.match(/^cowsay: name it in .*tools\.mjs/);
  });

  it('is a program that the set-up knows, wherever a test calls one by name', () => {
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    const call =
      /\b(?:spawn|spawnSync|execFile|execFileSync|findProgram|hostTool|needs|runProgram)\((?:this, )?\[?'([^'\s]+)'/g;
    const called = readdirSync(path.join(root, 'harness'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.test(?:-support)?\.ts$/.test(file) && !file.startsWith('setup/'))
      .flatMap((file) => {
        const calls = readFileSync(path.join(root, 'harness', file), 'utf8').matchAll(call);
        return [...calls].map(([, program = '']) => ({ file, program }));
      });
    expect(called.length).to.be.above(50);
    const unknown = called.filter(({ program }) => !promisedTools.has(program) && !always.includes(program));
    expect(unknown, 'programs that nobody installs: name them in harness/setup/tools.mjs').to.deep.equal([]);
  });
});
