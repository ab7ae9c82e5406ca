import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { mayBeAlive } from '../detached/owner.js';
import { MacvlabError } from '../../core/error.js';
import { claimMachines, readClaim, releaseClaim, updateClaim } from './claim.js';

describe('the claim on a checkout’s Vagrant machines', () => {
  const before = process.env['VAGRANT_DOTFILE_PATH'];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-claim-'));
    process.env['VAGRANT_DOTFILE_PATH'] = folder;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    if (before === undefined) delete process.env['VAGRANT_DOTFILE_PATH'];
    else process.env['VAGRANT_DOTFILE_PATH'] = before;
  });

  /** The error for the next process that claims them. */
  const refusal = async (): Promise<MacvlabError> => {
    const error = await claimMachines().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(MacvlabError);
    return error as MacvlabError;
  };

  it('keeps a second lab out, and says who has them', async () => {
    expect(await claimMachines()).to.equal(undefined);
    expect((await refusal()).message).to.contain(`in use by process ${process.pid}`);
    releaseClaim();
    expect(await claimMachines()).to.equal(undefined);
  });

  it('is taken over from a process that is gone, with what that has made', async () => {
    await claimMachines();
    updateClaim({ made: true, owner: { pid: process.pid, startTime: 1 } });
    expect(await claimMachines()).to.deep.include({ made: true });
    expect(readClaim()?.made).to.equal(false);
  });

  it('that is damaged lets nobody in, and says what to do', async () => {
    const file = join(folder, 'macvlab.json');
    writeFileSync(file, '{"own');
    const { message, next } = await refusal();
    expect(message).to.contain(`${file} is damaged`);
    expect(next).to.contain(`rm ${file}`);
  });

  it('of a process elsewhere stands until the kernel has been started anew', async () => {
    await claimMachines();
    updateClaim({ namespace: 'pid:[1]', owner: { pid: process.pid, startTime: 1 } });
    const claim = readClaim();
    expect(claim && mayBeAlive(claim)).to.equal(true);
    const file = join(folder, 'macvlab.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"boot":"[^"]+"/, '"boot":"another"'));
    const later = readClaim();
    expect(later && mayBeAlive(later)).to.equal(false);
  });
});
