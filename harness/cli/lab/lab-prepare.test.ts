import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { guestTools } from '../../setup/tools.mjs';
import { macvlab } from '../command-line.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

describe('macvlab lab prepare', () => {
  let folder = '';
  const call = (...words: string[]) => {
    // Nothing listens on port 9 of this machine.
    const env = { MACVLAB_CACHE: join(folder, 'cache'), MACVLAB_DEBIAN_MIRROR: 'http://127.0.0.1:9/debian' };
    return macvlab(['lab', 'prepare', ...words], { cwd: folder, env });
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-prepare-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('has nothing to do for a lab that uses the running kernel, and refuses another kernel for it', async () => {
    const { status, stdout } = await call('--lab', 'sandbox');
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: 'the sandbox lab needs no preparation\n' });
    const refused = await call('--lab', 'sandbox', '--kernel', '6.12');
    expect(refused.status).to.equal(2);
    expect(refused.stderr).to.include('USAGE').and.to.include('--lab vm');
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('says what keeps guests from being prepared', async function guests() {
    needs(this, ...guestTools.map(({ name }) => name));
    const { status, stdout, stderr } = await call();
    expect({ status, stdout }).to.deep.equal({ status: 3, stdout: '' });
    expect(stderr)
      .to.include('KERNEL_FETCH')
      .and.to.match(/^ {2}next: /m);
    const unknown = await call('--kernel', './none/bzImage');
    expect(unknown.status).to.equal(2);
    expect(unknown.stderr).to.include('KERNEL_UNKNOWN').and.to.include('none/bzImage');
  });
});
