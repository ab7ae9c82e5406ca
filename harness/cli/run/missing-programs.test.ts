import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { findProgram } from '../../setup/machine.mjs';
import { type Ended, main } from '../command-line.test-support.js';
import { needsRoot } from '../../setup/needs.test-support.js';

/** Hides programs from one command line only, in a mount namespace of its own: it runs as on a machine without them. */
describe('on a machine that lacks a program (needs root)', function missing() {
  this.timeout(60_000);
  let out: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-missing-'))));
  afterEach(() => rmSync(out, { recursive: true, force: true }));

  /** Every file of that name in the searched folders. */
  const filesOf = (name: string): string[] => {
    const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
    return folders.flatMap((folder) => findProgram(name, [folder]) ?? []);
  };

  async function without(name: string, words: readonly string[]): Promise<Ended> {
    const hide = 'while [ "$1" != -- ]; do mount --bind /dev/null "$1" || exit 99; shift; done; shift; exec "$@"';
    const argv = ['--mount', 'sh', '-c', hide, 'sh', ...filesOf(name), '--', process.execPath, main, ...words];
    const ended = promisify(execFile)('unshare', argv, { cwd: out, env: { ...process.env, MACVLAB_NO_INSTALL: '1' } });
    return ended.then(
      ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
      (error: unknown) => {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { status: code, stdout, stderr };
      },
    );
  }

  it('a sandbox cannot be opened: the program, what it is for, and how to get it', async () => {
    const { status, stdout, stderr } = await without('arping', ['run', '--lab', 'sandbox', 'A1.1', '--out', out]);
    expect(`${stdout}${stderr}`).to.match(/^ERROR the sandbox lab needs arping, which this machine does not have$/m);
    expect(`${stdout}${stderr}`).to.match(/arping: asks for neighbours[^]*next: .*install[^]*code: +TOOL_MISSING/);
    expect(status).to.equal(3);
  });

  it('a lab of Vagrant cannot be opened: how to get it', async () => {
    const { status, stdout, stderr } = await without('vagrant', ['run', '--lab', 'vagrant', 'A1.1', '--out', out]);
    expect(`${stdout}${stderr}`).to.match(/^ERROR .*needs vagrant[^]*next: .*install[^]*code: +VAGRANT_MISSING/m);
    expect(status).to.equal(3);
  });
});
