import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { takeClaim } from './claim.js';

describe('a claim', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-claim-'));
    file = join(folder, 'claim');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const isHeld = (text: string) => text === 'living';

  /** Another process takes the claim; undefined if it still waits after these milliseconds. */
  function takenByAnother(timeout: number): boolean | undefined {
    const program = `import { takeClaim } from '${new URL('claim.js', import.meta.url).href}';
      const { taken } = await takeClaim('${file}', 'of another', (text) => text === 'living');
      process.exit(taken ? 0 : 1);`;
    const words = ['--input-type=module', '-e', program];
    const { status } = spawnSync(process.execPath, words, { timeout, killSignal: 'SIGKILL' });
    return status === null ? undefined : status === 0;
  }

  it('nobody has it: it is taken, for this user alone, and nothing else is left', async () => {
    expect(await takeClaim(file, 'living', isHeld)).to.deep.equal({ taken: true });
    expect(readFileSync(file, 'utf8')).to.equal('living');
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['claim']);
  });

  it('its holder runs: it is not taken, and the holder is named', async () => {
    await takeClaim(file, 'living', isHeld);
    expect(await takeClaim(file, 'second', isHeld)).to.deep.equal({ taken: false, by: 'living' });
    expect(readFileSync(file, 'utf8')).to.equal('living');
    expect(readdirSync(folder)).to.deep.equal(['claim']);
  });

  it('its holder is gone: it is taken over', async () => {
    writeFileSync(file, 'dead');
    expect(await takeClaim(file, 'living', isHeld)).to.deep.equal({ taken: true, left: 'dead' });
    expect(readFileSync(file, 'utf8')).to.equal('living');
  });

  it('its writer was killed before it had written anything: it is taken over', async () => {
    writeFileSync(file, '');
    expect(await takeClaim(file, 'living', isHeld)).to.deep.equal({ taken: true, left: '' });
  });

  it('two processes find the same stale claim: one takes it', async () => {
    writeFileSync(file, 'dead');
    let another: boolean | undefined;
    const taking = await takeClaim(file, 'living', () => {
      // At the worst moment: this process has read the stale claim, and has not removed it.
      another = takenByAnother(1500);
      return false;
    });
    expect({ taking, another }).to.deep.equal({ taking: { taken: true, left: 'dead' }, another: undefined });
    expect(takenByAnother(60_000)).to.equal(false);
    expect(readFileSync(file, 'utf8')).to.equal('living');
  }).timeout(90_000);

  it('the question whether its holder runs fails: that is passed on, and the claim stays', async () => {
    writeFileSync(file, 'damaged');
    const failure = await takeClaim(file, 'living', () => {
      throw new Error('unreadable');
    }).catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('message', 'unreadable');
    expect(readdirSync(folder)).to.deep.equal(['claim']);
  });
});
