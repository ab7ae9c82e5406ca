import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cacheEntry } from './cache.js';
import { MacvlabError } from './error.js';
import { skip } from '../setup/needs.test-support.js';

describe('an entry of the cache', () => {
  const { MACVLAB_CACHE: usual } = process.env;
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-cache-'));
    process.env['MACVLAB_CACHE'] = join(folder, 'cache');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    if (usual === undefined) delete process.env['MACVLAB_CACHE'];
    else process.env['MACVLAB_CACHE'] = usual;
  });

  const make = (work: (entry: string) => void) =>
    cacheEntry('kernels/one', (entry) => Promise.resolve(work(entry))).catch((error: unknown) => error);

  it('is made once', async () => {
    let made = 0;
    const first = await make((entry) => writeFileSync(join(entry, 'file'), String(++made)));
    expect(await make(() => (made += 1))).to.equal(first);
    expect(first).to.equal(join(folder, 'cache/kernels/one'));
    expect(made).to.equal(1);
  });

  it('is not there when making it fails; nothing half-made stays', async () => {
    const error = await make(() => {
      throw new RangeError('of its own');
    });
    expect(error).to.be.instanceOf(RangeError);
    expect(readdirSync(join(folder, 'cache/kernels'))).to.deep.equal([]);
  });

  it('cannot be made where a file is in the way', async () => {
    writeFileSync(join(folder, 'cache'), '');
    const error = await make(() => undefined);
    expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'CACHE_NOT_WRITABLE', exit: 3 });
    expect((error as MacvlabError).message).to.match(/kernels\/one could not be made: ENOTDIR$/);
    expect((error as MacvlabError).next).to.include('MACVLAB_CACHE');
  });

  it('cannot be made on a full disk, whatever the kernel is asked to write there', async function full() {
    if (!existsSync('/dev/full')) skip(this, 'there is no /dev/full');
    const error = await make(() => writeFileSync('/dev/full', 'x'));
    expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'CACHE_NOT_WRITABLE' });
    expect((error as MacvlabError).message).to.match(/could not be made: the disk is full$/);
    expect((error as MacvlabError).next).to.match(/^make room/);
    expect(readdirSync(join(folder, 'cache/kernels'))).to.deep.equal([]);
  });
});
