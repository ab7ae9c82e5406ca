import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { FakeMachine } from './fake-machine.test-support.js';
import { setUpAtWork, withLock } from './lock.mjs';

/** A process that takes the lock of a folder, reports it, and keeps it until the process is killed. */
async function holder(fake: FakeMachine) {
  const lock = new URL('./lock.mjs', import.meta.url).href;
  const program = `import { withLock } from '${lock}';
    import { readFileSync } from 'node:fs';
    await withLock('${fake.root}', () => { console.log('held'); readFileSync(0); });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('the lock of a checkout', () => {
  it('returns what the work returns, and passes on what it throws', async () => {
    using fake = new FakeMachine();
    expect(await withLock(fake.root, () => 7)).to.equal(7);
    const failure = await withLock(fake.root, () => {
      throw new Error('work');
    }).catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('message', 'work');
    expect(await withLock(fake.root, () => 8)).to.equal(8);
  });

  it('is had by one at a time', async () => {
    using fake = new FakeMachine();
    const order: string[] = [];
    const child = await holder(fake);
    const waiting = withLock(fake.root, () => order.push('second'));
    child.once('exit', () => order.push('first'));
    // the other folder has a lock of its own
    using other = new FakeMachine();
    await withLock(other.root, () => order.push('other'));
    child.stdin.end();
    await Promise.all([waiting, once(child, 'exit')]);
    expect(order[0]).to.equal('other');
    expect(order).to.include.members(['first', 'second']);
  });

  it('is free again when its holder is killed', async () => {
    using fake = new FakeMachine();
    const child = await holder(fake);
    const waiting = withLock(fake.root, () => 'free');
    child.kill('SIGKILL');
    expect(await waiting).to.equal('free');
  });

  it('tells others whether it is held, and when it is let go, while its holder is at work', async () => {
    using fake = new FakeMachine();
    expect(await setUpAtWork(fake.root)).to.equal(undefined);
    const order: string[] = [];
    let end: Promise<unknown> | undefined;
    await withLock(fake.root, async () => {
      end = (await setUpAtWork(fake.root))?.end.then(() => order.push('end'));
      // a second visitor: the first has been accepted by now
      await setUpAtWork(fake.root);
      order.push('work');
    });
    expect(order).to.deep.equal(['work']);
    await end;
    expect(order).to.deep.equal(['work', 'end']);
  });

  it('is never had by two of many that begin at once', async () => {
    using fake = new FakeMachine();
    const log = path.join(fake.root, 'log');
    const lock = new URL('./lock.mjs', import.meta.url).href;
    const program = `import { withLock } from '${lock}';
      import { appendFileSync } from 'node:fs';
      await withLock('${fake.root}', () => { appendFileSync('${log}', 'in '); appendFileSync('${log}', 'out '); });`;
    const children = Array.from({ length: 5 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' }),
    );
    await Promise.all(children.map((child) => once(child, 'exit')));
    expect(readFileSync(log, 'utf8')).to.equal('in out '.repeat(5));
  });
});
