import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { poll } from '../../core/wait.js';
import { identify } from '../../core/process-identity.js';
import { makeSlotFolder, slotFile, slotsOf, takeSlot } from './slots.js';

describe('ways into a kept lab of guests', () => {
  let folder: string;
  let servers: Server[];
  let accepted: Socket[];
  let taken: Socket[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-slots-'));
    accepted = [];
    taken = [];
    // Imitates QEMU's socket of each slot.
    servers = slotsOf('node1').map((slot) =>
      createServer((socket) => {
        accepted.push(socket);
        socket.write(`hello from ${slot}\n`);
      }),
    );
    await Promise.all(
      servers.map((server, index) => once(server.listen(slotFile(folder, `node1.${index + 1}`)), 'listening')),
    );
  });

  afterEach(() => {
    for (const socket of [...taken, ...accepted]) socket.destroy();
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  });

  /** Takes a slot; returns the data that it sends. */
  async function take(): Promise<string> {
    const socket = await takeSlot(folder, 'node1');
    taken.push(socket);
    const [hello] = (await once(socket, 'data')) as [Buffer];
    return hello.toString();
  }

  async function refused(session = 'node1'): Promise<MacvlabError> {
    try {
      taken.push(await takeSlot(folder, session));
    } catch (error) {
      if (error instanceof MacvlabError) return error;
      throw error;
    }
    throw new Error('a slot was to be had');
  }

  const locks = () => readdirSync(folder).filter((name) => name.endsWith('.lock'));

  it('are three for each session', () => {
    expect(slotsOf('node1')).to.deep.equal(['node1.1', 'node1.2', 'node1.3']);
  });

  it('are taken one after the other, and no more than there are', async () => {
    expect([await take(), await take(), await take()]).to.deep.equal([
      'hello from node1.1\n',
      'hello from node1.2\n',
      'hello from node1.3\n',
    ]);
    const { code, message, next } = await refused();
    expect(code).to.equal('REMOTE_CONNECT');
    expect(message).to.equal('all 3 ways to node1 are in use');
    expect(next).to.include('end one of the commands');
  });

  it('are never taken twice by those who come at the same time', async () => {
    const all = await Promise.all([take(), take(), take()]);
    expect(new Set(all)).to.have.lengthOf(3);
  });

  it('are free again as soon as a connection has ended', async () => {
    await take();
    expect(locks()).to.deep.equal(['node1.1.lock']);
    taken[0]?.destroy();
    await poll(() => Promise.resolve(locks().length === 0 || undefined), { what: 'the lock to go', deadline: 2000 });
    expect(await take()).to.equal('hello from node1.1\n');
  });

  it('are free again when whoever had them has died', async () => {
    const { pid } = spawnSync('true');
    expect(identify(pid)).to.equal(undefined);
    writeFileSync(join(folder, 'node1.1.lock'), JSON.stringify({ pid, startTime: 1 }));
    expect(await take()).to.equal('hello from node1.1\n');
  });

  it('are free again when another process has the id of whoever had them', async () => {
    const startTime = (identify(process.pid)?.startTime ?? 0) - 1;
    writeFileSync(join(folder, 'node1.1.lock'), JSON.stringify({ pid: process.pid, startTime }));
    expect(await take()).to.equal('hello from node1.1\n');
  });

  it('an empty lock, whose writer was killed: its slot is free', async () => {
    writeFileSync(join(folder, 'node1.1.lock'), '');
    expect(await take()).to.equal('hello from node1.1\n');
  });

  it('lead nowhere when the lab is gone, and stay free', async () => {
    for (const server of servers) server.close();
    rmSync(slotFile(folder, 'node1.1'), { force: true });
    const { code, message, next } = await refused();
    expect(code).to.equal('REMOTE_CONNECT');
    expect(message).to.match(/^node1 cannot be reached: .*ENOENT/);
    expect(next).to.include('macvlab lab status');
    await poll(() => Promise.resolve(locks().length === 0 || undefined), { what: 'the lock to go', deadline: 2000 });
  });

  describe('have a folder', () => {
    let before: string | undefined;
    beforeEach(() => {
      before = process.env.MACVLAB_STATE;
      process.env.MACVLAB_STATE = join(folder, 'state');
    });
    afterEach(() => {
      if (before === undefined) delete process.env.MACVLAB_STATE;
      else process.env.MACVLAB_STATE = before;
    });

    it('for each lab, that only this user may enter', () => {
      const [one, other] = [makeSlotFolder(), makeSlotFolder()];
      expect(one).to.not.equal(other);
      for (const each of [one, other]) expect(statSync(each).mode & 0o777).to.equal(0o700);
    });

    it('or an error that says how to have one', () => {
      writeFileSync(join(folder, 'file'), '');
      process.env.MACVLAB_STATE = join(folder, 'file', 'state');
      expect(makeSlotFolder)
        .to.throw(MacvlabError, 'a lab cannot be kept')
        .with.property('next')
        .that.includes('MACVLAB_STATE');
      expect(existsSync(join(folder, 'state'))).to.equal(false);
    });
  });
});
