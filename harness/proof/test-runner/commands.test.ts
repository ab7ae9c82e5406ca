import { once } from 'node:events';
import { expect } from 'chai';
import { Commands } from './commands.js';

const cwd = '/';

describe('programs that the tests run', () => {
  it('a program that ends: its exit code and all that it printed', async () => {
    const script = 'echo out; echo err >&2; echo $WORD; exit 3';
    const { exit, output } = await new Commands().run(['sh', '-c', script], { cwd, environment: { WORD: 'hi' } });
    expect(exit).to.equal(3);
    expect(output.split('\n').sort()).to.deep.equal(['', 'err', 'hi', 'out']);
  });

  it('an interrupt: it reaches the running program, and no other begins', async () => {
    const commands = new Commands();
    const script = "trap 'echo cleaned; exit 5' TERM; kill -USR2 $PPID; while :; do sleep 0.05; done";
    const interrupted = once(process, 'SIGUSR2').then(() => commands.interrupt('SIGTERM'));
    expect(await commands.run(['sh', '-c', script], { cwd })).to.deep.equal({ exit: 5, output: 'cleaned\n' });
    await interrupted;
    expect(await commands.run(['echo', 'x'], { cwd })).to.deep.equal({ exit: 130, output: '' });
  });

  it('a program that a signal ends: exit code 130', async () => {
    expect((await new Commands().run(['sh', '-c', 'kill -KILL $$'], { cwd })).exit).to.equal(130);
  });
});
