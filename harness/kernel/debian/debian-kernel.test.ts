import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ErrorCode, MacvlabError } from '../../core/error.js';
import { fetchWithDependencies } from './archive.js';
import { TestArchive, type TestPackage } from './archive.test-support.js';
import { debianKernel, findCachedKernel } from './debian-kernel.js';
import { needs } from '../../setup/needs.test-support.js';

/** A kernel in the layout of Debian 13. */
function wholeKernel(abi: string, version: string): TestPackage[] {
  const release = `${abi}-cloud-amd64`;
  const name = `linux-image-${release}`;
  const files = {
    [`boot/vmlinuz-${release}`]: `image of ${version}`,
    [`boot/config-${release}`]: 'CONFIG_MACVLAN=m\n',
    [`usr/lib/modules/${release}/modules.order`]: '',
    [`usr/lib/modules/${release}/modules.builtin`]: '',
  };
  return [
    { name, version, depends: 'initramfs', files },
    { name: 'linux-image-cloud-amd64', version, depends: `${name} (= ${version})` },
  ];
}

/** A kernel in the layout of three packages. */
function splitKernel(abi: string, version: string): TestPackage[] {
  const release = `${abi}-cloud-amd64`;
  const tree = `usr/lib/modules/${release}`;
  const parts = ['base', 'binary', 'modules'].map((part) => `linux-${part}-${release}`);
  const [base = '', binary = '', modules = ''] = parts;
  const depends = parts.map((part) => `${part} (= ${version})`).join(', ');
  return [
    { name: `linux-image-${release}`, version, depends },
    { name: base, version, files: { [`${tree}/config`]: 'CONFIG_MACVLAN=y\n' } },
    { name: binary, version, files: { [`${tree}/vmlinuz`]: `image of ${version}` } },
    { name: modules, version, files: { [`${tree}/modules.order`]: '', [`${tree}/modules.builtin`]: '' } },
  ];
}

describe('a kernel of a Debian archive', function () {
  this.timeout(60_000);
  let folder = '';
  let archive: TestArchive;
  const saved = { ...process.env };

  before(function () {
    // The test uses the formats of Debian's archive and the real apt. On a machine without them, the download itself
    // reports that.
    needs(this, 'apt-get', 'dpkg-deb', 'gpg', 'gpgv', 'depmod');
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-archive-'));
    archive = new TestArchive(join(folder, 'debian'));
    Object.assign(process.env, archive.environment, { MACVLAB_CACHE: join(folder, 'cache') });
    archive.publish([...wholeKernel('6.12.7+deb13', '6.12.7-1'), ...splitKernel('7.3', '7.3~rc7-1~exp1')]);
  });

  afterEach(() => {
    process.env = { ...saved };
    archive.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const entries = () => {
    const root = join(folder, 'cache/kernels');
    return existsSync(root) ? readdirSync(root) : [];
  };
  const failure = async (spec: string, code: ErrorCode): Promise<string> => {
    const error: unknown = await debianKernel(spec).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(MacvlabError).and.to.have.property('code', code);
    return (error as MacvlabError).format();
  };

  it('is fetched by its series, and then found without the archive', async () => {
    expect(findCachedKernel('6.12')).to.equal(undefined);
    const said: string[] = [];
    const kernel = await debianKernel(undefined, { onProgress: (line) => said.push(line) });
    expect(said.join('\n'))
      .to.include('the mirror has no bullseye')
      .and.to.include('fetching 6.12.7+deb13-cloud-amd64');
    expect(kernel).to.include({ release: '6.12.7+deb13-cloud-amd64', origin: 'Debian sid, 6.12.7-1' });
    expect(readFileSync(kernel.image, 'utf8')).to.equal('image of 6.12.7-1');
    expect(kernel.config).to.equal('CONFIG_MACVLAN=m\n');
    expect(existsSync(join(kernel.modules ?? '', 'lib/modules', kernel.release, 'modules.dep'))).to.equal(true);
    rmSync(join(folder, 'debian/dists'), { recursive: true });
    for (const spec of [undefined, '6.12', '6.12.7', '6.12.7+deb13', 'sid']) {
      expect(await debianKernel(spec), spec).to.deep.equal(kernel);
    }
    expect(readdirSync(join(folder, 'cache/apt/archives'))).to.deep.equal([]);
  });

  it('may be split into three packages', async () => {
    const kernel = await debianKernel('newest');
    expect(kernel.release).to.equal('7.3-cloud-amd64');
    expect(readFileSync(kernel.image, 'utf8')).to.equal('image of 7.3~rc7-1~exp1');
    expect(kernel.config).to.equal('CONFIG_MACVLAN=y\n');
  });

  it('stays until a newer one is asked for', async () => {
    const first = await debianKernel('sid');
    archive.publish(wholeKernel('6.12.8+deb13', '6.12.8-1'));
    expect(await debianKernel('sid')).to.deep.equal(first);
    expect((await debianKernel('sid', { refresh: true })).release).to.equal('6.12.8+deb13-cloud-amd64');
    expect(findCachedKernel('sid')?.release).to.equal('6.12.8+deb13-cloud-amd64');
    expect(await debianKernel('6.12.7', { refresh: true })).to.deep.equal(first);
  });

  it('names the nearest where there is none', async () => {
    expect(await failure('6.13', 'KERNEL_UNKNOWN')).to.include('nearest: 6.12, 7.3');
    expect(await failure('trixy', 'KERNEL_UNKNOWN'))
      .to.include('newest')
      .and.to.include('macvlab kernels list');
  });

  it('is refused when it was truncated or changed on the mirror, and leaves nothing', async () => {
    const [image] = wholeKernel('6.12.7+deb13', '6.12.7-1');
    const file = archive.fileOf(image!);
    const whole = readFileSync(file);
    truncateSync(file, whole.length - 100);
    await failure('6.12', 'KERNEL_FETCH');
    const changed = Buffer.from(whole);
    changed[changed.length - 50]! ^= 1;
    writeFileSync(file, changed);
    await failure('6.12', 'KERNEL_FETCH');
    expect(entries()).to.deep.equal([]);
    writeFileSync(file, whole);
    expect((await debianKernel('6.12')).release).to.equal('6.12.7+deb13-cloud-amd64');
  });

  it('is fetched again when what was downloaded before is garbled on the disk', async () => {
    await failure('6.99', 'KERNEL_UNKNOWN');
    const [image] = wholeKernel('6.12.7+deb13', '6.12.7-1');
    const { length } = readFileSync(archive.fileOf(image!));
    const half = join(folder, 'cache/apt/archives', `${image!.name}_${image!.version}_amd64.deb`);
    writeFileSync(half, Buffer.alloc(length, 'x'));
    expect(readFileSync((await debianKernel('6.12')).image, 'utf8')).to.equal('image of 6.12.7-1');
  });

  it('is refused when the archive’s signature is wrong', async () => {
    archive.tamper();
    expect(await failure('6.12', 'KERNEL_FETCH')).to.include('no list of Debian’s packages could be fetched');
    expect(entries()).to.deep.equal([]);
  });

  it('is the same for two at once', async () => {
    const [one, other] = await Promise.all([debianKernel('6.12'), debianKernel('6.12')]);
    expect(one).to.deep.equal(other);
    expect(entries()).to.deep.equal(['6.12.7+deb13-cloud-amd64_6.12.7-1']);
  });

  it('is made again when a part of it was taken away', async () => {
    const kernel = await debianKernel('6.12');
    rmSync(kernel.image);
    expect(findCachedKernel('6.12')).to.equal(undefined);
    expect(existsSync((await debianKernel('6.12')).image)).to.equal(true);
  });

  it('needs a keyring', async () => {
    process.env.MACVLAB_DEBIAN_KEYRING = join(folder, 'none.gpg');
    expect(await failure('6.12', 'KERNEL_FETCH')).to.include('none.gpg');
  });

  it('has beside it packages with all that they depend on', async () => {
    archive.publish([
      { name: 'tool', version: '2-1', depends: 'library (>= 1)' },
      { name: 'library', version: '1' },
      { name: 'other', version: '1' },
    ]);
    const files = await fetchWithDependencies(['tool'], 'sid', join(folder, 'out'));
    expect(files.map((file) => file.replace(/.*\//, ''))).to.have.members([
      'tool_2-1_amd64.deb',
      'library_1_amd64.deb',
    ]);
    for (const file of files) execFileSync('dpkg-deb', ['--info', file]);
  });
});
