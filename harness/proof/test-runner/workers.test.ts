import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { poll } from '../../core/wait.js';
import { Workers } from './workers.js';

describe('workers for test files', function () {
  this.timeout(30_000);
  let folder = '';
  let workers: Workers;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-workers-'));
    workers = new Workers();
  });
  afterEach(() => {
    workers.close();
    rmSync(folder, { recursive: true });
  });

  let number = 0;
  const run = (body: string) => {
    const file = join(folder, `${number++}.test.mjs`);
    writeFileSync(file, body);
    return workers.run(file);
  };

  it('tests that pass, fail and are skipped: counted, with titles and messages', async () => {
    const result = await run(`
      describe('S', () => {
        it('passes', () => console.log('said'));
        it('fails', () => { throw new Error('no frame'); });
        it('waits', function () { this.skip(); });
      });`);
    expect(result).to.deep.include({
      passed: 1,
      skipped: ['S waits'],
      failures: [{ title: 'S fails', message: 'no frame' }],
    });
    expect(result.output).to.include('said').and.to.include('no frame');
  });

  it('a hook that fails: a failure', async () => {
    const { passed, failures } = await run(
      `describe('S', () => { before(() => { throw new Error('no'); }); it('x', () => {}); });`,
    );
    expect({ passed, failures: failures.length }).to.deep.equal({ passed: 0, failures: 1 });
  });

  it('a test or hook that is slow: passes, and one that hangs is a failure', async () => {
    const { passed, failures } = await run(`
      const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
      describe('S', function () {
        this.timeout(100);
        before(() => wait(150));
        it('is slow', () => wait(200));
        it('hangs', () => wait(600));
      });`);
    expect({ passed, failed: failures.map(({ title }) => title) }).to.deep.equal({ passed: 1, failed: ['S hangs'] });
  });

  it('a file that cannot be loaded, or has .only: a failure', async () => {
    expect((await run('syntax error')).failures).to.have.length(1);
    expect((await run(`it.only('x', () => {});`)).failures[0]!.message).to.match(/only/);
  });

  it('two files: the same process, unless a test failed in it', async () => {
    const tellPid = `it('x', () => console.log('pid', process.pid));`;
    const pid = async (body = tellPid) => /pid (\d+)/.exec((await run(body)).output)![1];
    const first = await pid();
    expect(await pid()).to.equal(first);
    await run(`it('fails', () => { throw new Error('no'); });`);
    expect(await pid()).not.to.equal(first);
  });

  it('a rejected promise that no test waits for: the running test fails', async () => {
    const { failures } = await run(`
      it('x', () => { Promise.reject(new Error('stray')); return new Promise((done) => setTimeout(done, 50)); });`);
    expect(failures).to.deep.equal([{ title: 'x', message: 'stray' }]);
  });

  it('a process that ends in the middle of a test: a failure, and other files run on', async () => {
    const { failures } = await run(`it('x', () => process.exit(0));`);
    expect(failures[0]!.message).to.equal('the test process ended');
    expect((await run(`it('y', () => {});`)).passed).to.equal(1);
    expect(workers.strays).to.deep.equal([]);
  });

  it('an error after the last test of a file: noted as a stray', async () => {
    const { failures } = await run(`it('x', () => { setTimeout(() => { throw new Error('late'); }, 50); });`);
    expect(failures).to.deep.equal([]);
    const stray = () => Promise.resolve(workers.strays[0]);
    expect(await poll(stray, { what: 'the stray error', deadline: 10_000 })).to.match(
      /after the tests of .*: Error: late/,
    );
    expect((await run(`it('y', () => {});`)).passed).to.equal(1);
  });
});
