import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { endLostHolder, findLostHolders, holderCommand, holderEnvironment } from './holders.js';
import {
  checkFree,
  endDetached,
  findDetached,
  listDamaged,
  listDetached,
  makeLabFolder,
  removeLostFolders,
  removeStale,
  stateFile,
  writeDetached,
} from './detached-labs.js';
import { identify, isRunning } from '../../core/process-identity.js';

const before = process.env.MACVLAB_STATE;
const children: ChildProcess[] = [];
let folder = '';

/** Starts an idle process, and returns its id. */
async function idle(env: NodeJS.ProcessEnv = process.env, [program, ...rest] = ['sleep', '600']): Promise<number> {
  const child = spawn(program, rest, { stdio: 'ignore', env });
  children.push(child);
  await once(child, 'spawn');
  return child.pid!;
}

async function end(pid: number): Promise<void> {
  const child = children.find((one) => one.pid === pid)!;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function keep(name?: string, state: unknown = { secret: 'key' }): Promise<number> {
  const holder = await idle();
  await writeDetached({ name, driver: 'sandbox', kernel: '6.1.0', holder, state });
  return holder;
}

function errorOf(work: () => unknown): MacvlabError {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(MacvlabError);
    return error as MacvlabError;
  }
  throw new Error('there was no error');
}

async function rejection(work: Promise<unknown>): Promise<MacvlabError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(MacvlabError);
  return error as MacvlabError;
}

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'macvlab-kept-')), 'state');
});

afterEach(async () => {
  const running = children.splice(0).filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(running.map((child) => (child.kill('SIGKILL'), once(child, 'exit'))));
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

describe('the identity of a process', () => {
  it('is its id and its start', async () => {
    const pid = await idle();
    const identity = identify(pid)!;
    expect(isRunning(identity)).to.equal(true);
    expect(isRunning({ ...identity, startTime: identity.startTime - 1 })).to.equal(false);
    await end(pid);
    expect(isRunning(identity)).to.equal(false);
    expect(identify(pid)).to.equal(undefined);
  });

  it('is read whatever the program is called', async () => {
    const path = join(folder, '..', ') R 1 (');
    writeFileSync(path, '#!/bin/sh\nread -r line\n', { mode: 0o755 });
    const child = spawn(path, { stdio: ['pipe', 'ignore', 'ignore'] });
    children.push(child);
    await once(child, 'spawn');
    expect(identify(child.pid!)!.startTime).to.be.greaterThan(identify(process.pid)!.startTime);
  });
});

describe('kept labs', () => {
  beforeEach(() => {
    process.env.MACVLAB_STATE = folder;
  });

  afterEach(() => {
    if (before === undefined) delete process.env.MACVLAB_STATE;
    else process.env.MACVLAB_STATE = before;
  });

  it('are none where there is no folder', async () => {
    expect(listDetached()).to.deep.equal([]);
    expect(await removeStale()).to.deep.equal([]);
    expect(errorOf(() => findDetached())).to.include({ code: 'LAB_UNKNOWN', exit: 2, message: 'no lab is running' });
  });

  it('are read back as they were written, in files for their owner alone', async () => {
    const holder = await keep('mine');
    const [kept, ...others] = listDetached();
    expect(others).to.deep.equal([]);
    expect(kept).to.deep.include({ name: 'mine', driver: 'sandbox', kernel: '6.1.0', alive: true });
    expect(kept!.keeper).to.deep.equal(identify(holder));
    expect(kept!.state).to.deep.equal({ secret: 'key' });
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    expect(statSync(stateFile('mine')).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['mine.json']);
  });

  it('get a folder that is too open closed', async () => {
    await keep('one');
    chmodSync(folder, 0o755);
    await keep('two');
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
  });

  it('are found without a name only when there is one', async () => {
    await keep();
    expect(findDetached().name).to.equal('lab1');
    await keep();
    expect(errorOf(() => findDetached())).to.include({
      code: 'USAGE',
      message: 'several labs are running: lab1, lab2',
    });
    expect(findDetached('lab2').name).to.equal('lab2');
    const error = errorOf(() => findDetached('lab3'));
    expect(error).to.include({ code: 'LAB_UNKNOWN', evidence: 'running: lab1, lab2' });
    expect(error.next).to.include('macvlab lab up');
  });

  it('are dead when their holder is, or when another process has its id', async () => {
    const holder = await keep('gone');
    await keep('reused');
    const state = JSON.parse(readFileSync(stateFile('reused'), 'utf8')) as { keeper: { startTime: number } };
    state.keeper.startTime -= 1;
    writeFileSync(stateFile('reused'), JSON.stringify(state));
    await keep('living');
    await end(holder);
    expect(listDetached().map(({ name, alive }) => [name, alive])).to.deep.equal([
      ['gone', false],
      ['living', true],
      ['reused', false],
    ]);
    expect(findDetached().name).to.equal('living');
    expect((await removeStale()).map(({ name }) => name)).to.deep.equal(['gone', 'reused']);
    expect(readdirSync(folder)).to.deep.equal(['living.json']);
  });

  it('are dead when their init is', async () => {
    const init = await idle();
    await keep('lab', { init });
    expect(listDetached()[0]).to.deep.include({ alive: true, init: identify(init) });
    await end(init);
    expect(listDetached()[0]!.alive).to.equal(false);
  });

  it('do not take a running lab’s name, and end the holder that nobody would find', async () => {
    await keep('mine');
    expect(errorOf(() => checkFree('mine')).code).to.equal('USAGE');
    const holder = await idle();
    const ended = once(children.at(-1)!, 'exit');
    const error = await rejection(writeDetached({ name: 'mine', driver: 'sandbox', kernel: '', holder, state: {} }));
    expect(error.code).to.equal('USAGE');
    await ended;
    expect(readdirSync(folder)).to.deep.equal(['mine.json']);
  });

  it('take a dead lab’s name', async () => {
    await end(await keep('mine'));
    checkFree('mine');
    await keep('mine');
    expect(findDetached('mine').alive).to.equal(true);
  });

  it('are not written for a holder that is gone', async () => {
    const holder = await idle();
    await end(holder);
    const error = await rejection(writeDetached({ driver: 'sandbox', kernel: '', holder, state: {} }));
    expect(error.code).to.equal('LAB_OPEN');
  });

  for (const name of ['', '../x', 'a/b', '.hidden', '-x', 'a b', 'x'.repeat(64)]) {
    it(`cannot be called "${name}"`, () => {
      expect(errorOf(() => checkFree(name))).to.include({ code: 'USAGE', exit: 2 });
    });
  }

  it('are ended by their holder’s end', async () => {
    const holder = await keep('mine');
    const kept = findDetached();
    await endDetached(kept);
    expect(identify(holder)).to.equal(undefined);
    expect(listDetached()).to.deep.equal([]);
    await endDetached(kept);
  });

  it('spare a process that has only the holder’s id', async () => {
    const holder = await keep('mine');
    const kept = findDetached();
    await endDetached({ ...kept, keeper: { ...kept.keeper, startTime: 1 } });
    expect(isRunning(kept.keeper)).to.equal(true);
    expect(holder).to.equal(kept.keeper.pid);
  });

  it('are not disturbed by files of others', async () => {
    await keep('mine');
    writeFileSync(join(folder, 'notes.json'), '{ "half');
    writeFileSync(join(folder, 'other.json'), '{}');
    writeFileSync(join(folder, '.mine.77'), '{');
    expect(listDetached().map(({ name }) => name)).to.deep.equal(['mine']);
    expect(listDamaged().map(({ file }) => file)).to.have.members([
      join(folder, 'notes.json'),
      join(folder, 'other.json'),
    ]);
  });

  it('are cleared up beside notes that are not whole', () => {
    const made = makeLabFolder();
    writeFileSync(join(made, 'owner'), JSON.stringify({ pid: process.pid, startTime: 1 }));
    writeFileSync(join(made, '77.process'), '{ "half');
    expect(removeLostFolders()).to.equal(1);
    expect(existsSync(made)).to.equal(false);
  });

  it('leave no holder that cannot be found', async () => {
    const starter = { pid: process.pid, startTime: 1 };
    const ours = { ...holderEnvironment(), MACVLAB_KEEPER: `${starter.pid} ${starter.startTime}` };
    const lost = await idle(ours, [...holderCommand]);
    // Not lost: its starter runs, it is another command, it has another folder, a state file names it.
    await idle(holderEnvironment(), [...holderCommand]);
    await idle(ours);
    await idle({ ...ours, MACVLAB_STATE: '/nowhere' }, [...holderCommand]);
    await idle({ PATH: process.env.PATH }, [...holderCommand]);
    const known = await idle(ours, [...holderCommand]);
    await writeDetached({ driver: 'sandbox', kernel: '', holder: known, state: {} });
    const [found, ...more] = findLostHolders();
    expect(more).to.deep.equal([]);
    expect(found).to.deep.equal(identify(lost));
    endLostHolder({ ...found!, startTime: 1 });
    expect(isRunning(found!)).to.equal(true);
    const ended = once(
      children.find(({ pid }) => pid === lost)!,
      'exit',
    );
    endLostHolder(found!);
    await ended;
    expect(findLostHolders()).to.deep.equal([]);
  });
});
