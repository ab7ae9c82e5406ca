import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { resolveKernel } from './resolve.js';

describe('which kernel is meant', () => {
  const home = process.cwd();
  const saved = { ...process.env };
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-resolve-'));
    process.chdir(folder);
    // In this test, access to Debian's archive fails at once.
    Object.assign(process.env, {
      MACVLAB_CACHE: join(folder, 'cache'),
      MACVLAB_DEBIAN_MIRROR: `file://${folder}/none`,
    });
    process.env.MACVLAB_DEBIAN_KEYRING = join(folder, 'none.gpg');
  });

  afterEach(() => {
    process.chdir(home);
    process.env = { ...saved };
    rmSync(folder, { recursive: true, force: true });
  });

  const refusal = async (spec: string | undefined, modules?: string): Promise<string> => {
    const error: unknown = await resolveKernel(spec, { ...(modules && { modules }) }).catch(
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(MacvlabError);
    return (error as MacvlabError).code;
  };

  it('is one’s own for a path, and for what is there', async () => {
    mkdirSync('linux');
    for (const spec of ['./none', 'some/bzImage', '/none/bzImage', 'linux']) {
      expect(await refusal(spec), spec).to.be.oneOf(['KERNEL_UNKNOWN', 'KERNEL_UNSUITABLE']);
    }
  });

  it('is one of Debian’s for everything else, even where a folder is called like a version', async () => {
    mkdirSync('6.12');
    for (const spec of [undefined, '6.12', 'trixie', 'newest']) expect(await refusal(spec)).to.equal('KERNEL_FETCH');
  });

  it('has its own modules when it is one of Debian’s', async () => {
    expect(await refusal('6.12', 'modules')).to.equal('USAGE');
  });
});
