import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { poll } from '../core/wait.js';
import { pauseImage, pauseProgram } from './pause-image.js';
import { skip } from '../setup/needs.test-support.js';

describe('the image that containers are made of', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-pause-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const tar = (...words: string[]) =>
    spawnSync('tar', words, {
      cwd: folder,
      input: pauseImage(),
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    });

  it('is an archive with one program in it', () => {
    const { stdout, stderr } = tar('--list', '--verbose', '--file', '-');
    expect(stderr).to.equal('');
    expect(stdout.trim().split('\n')).to.have.lengthOf(1);
    expect(stdout).to.match(/^-rwxr-xr-x 0\/0 .* pause\n$/);
  });

  it('has a program that runs, and waits until it is killed', async function wait() {
    if (process.arch !== 'x64') skip(this, 'the image is for x86-64');
    tar('--extract', '--file', '-');
    const program = spawn(join(folder, pauseProgram), { stdio: 'ignore' });
    try {
      await once(program, 'spawn');
      // State S is a process that waits for a signal; a crashed program would be Z by then.
      const sleeping = () => {
        const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1];
        return Promise.resolve(state === 'S' && program.exitCode === null ? state : undefined);
      };
      expect(await poll(sleeping, { what: 'the program to wait', deadline: 10_000 })).to.equal('S');
      expect(readFileSync(`/proc/${program.pid}/comm`, 'utf8')).to.equal('pause\n');
    } finally {
      const ended = once(program, 'exit');
      program.kill('SIGKILL');
      expect(await ended).to.deep.equal([null, 'SIGKILL']);
    }
  });
});
