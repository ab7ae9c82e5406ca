import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { MacvlabError } from '../core/error.js';
import type { Kernel } from '../kernel/kernel.js';
import { dependencies, gatherModules } from './guest-modules.js';

/** The metadata of a module, between bytes that represent its code. */
const moduleFile = (...words: string[]): Buffer =>
  Buffer.from(['\x7fELF code', 'license=GPL', ...words, 'vermagic=6.12 SMP', '\x01\x02'].join('\0'), 'latin1');

const compressions: Record<string, (bytes: Buffer) => Buffer> = {
  '': (bytes) => bytes,
  '.gz': gzipSync,
  '.xz': (bytes) => spawnSync('xz', ['--check=crc32', '--stdout'], { input: bytes }).stdout,
  '.zst': (bytes) => spawnSync('zstd', ['--quiet', '--stdout'], { input: bytes }).stdout,
};
const programs: Record<string, string> = { '.xz': 'xz', '.zst': 'zstd' };

/** A short list of the modules in Debian's kernel. */
const cloud = {
  'kernel/drivers/virtio/virtio_pci.ko': moduleFile('depends=virtio,virtio_ring'),
  'kernel/drivers/virtio/virtio.ko': moduleFile('depends='),
  'kernel/drivers/virtio/virtio_ring.ko': moduleFile('depends=virtio'),
  'kernel/drivers/block/virtio_blk.ko': moduleFile('depends=virtio_ring'),
  'kernel/fs/squashfs/squashfs.ko': moduleFile('depends='),
  'kernel/fs/overlayfs/overlay.ko': moduleFile('depends='),
  'kernel/drivers/net/macvlan.ko': moduleFile('depends='),
  'kernel/drivers/net/tap.ko': moduleFile('depends='),
  'kernel/drivers/net/macvtap.ko': moduleFile('depends=macvlan,tap'),
  'kernel/drivers/net/wireguard.ko': moduleFile('depends='),
};

describe('the modules of a guest', () => {
  let folder: string;
  let out: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-modules-'));
    out = join(folder, 'out');
    mkdirSync(out);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const kernel = (rest: Partial<Kernel> = {}): Kernel => ({
    name: '6.12',
    release: '6.12.1-cloud',
    image: join(folder, 'vmlinuz'),
    origin: 'a test',
    id: 'test',
    modules: folder,
    ...rest,
  });
  const write = (modules: Record<string, Buffer | string>): void => {
    for (const [name, content] of Object.entries(modules)) {
      const file = join(folder, 'lib/modules/6.12.1-cloud', name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  };
  const builtIn = (...names: string[]): void =>
    write({ 'modules.builtin': names.map((name) => `kernel/drivers/${name}.ko\n`).join('') });
  const refusal = async (which: Kernel): Promise<MacvlabError> => {
    const error: unknown = await gatherModules(which, out).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof MacvlabError)) throw new Error(`not refused: ${String(error)}`);
    expect(error.code).to.equal('KERNEL_UNSUITABLE');
    return error;
  };

  for (const [ending, compress] of Object.entries(compressions)) {
    const program = programs[ending];
    const there = program === undefined || spawnSync(program, ['--version']).status === 0;
    const why = there ? '' : ` (skipped: ${program} is not installed)`;
    it(`are found with what they depend on, and unpacked from ${ending || 'nothing'}${why}`, async function () {
      if (!there) this.skip();
      write(Object.fromEntries(Object.entries(cloud).map(([name, bytes]) => [`${name}${ending}`, compress(bytes)])));
      builtIn('char/virtio_console');
      const boot = ['virtio.ko', 'virtio_ring.ko', 'virtio_pci.ko', 'virtio_blk.ko', 'squashfs.ko', 'overlay.ko'];
      expect(await gatherModules(kernel(), out)).to.deep.equal(boot);
      const all = [...boot, 'macvlan.ko', 'macvtap.ko', 'tap.ko', 'modules.builtin'];
      expect(readdirSync(out).sort()).to.deep.equal(all.sort());
      expect(readFileSync(join(out, 'macvtap.ko'))).to.deep.equal(cloud['kernel/drivers/net/macvtap.ko']);
    });
  }

  it('are taken out of usr/lib as well, and with dashes in their names', async () => {
    builtIn('virtio/virtio_pci', 'char/virtio-console', 'block/virtio_blk', 'overlay');
    write({ 'kernel/fs/squashfs.ko': moduleFile('depends=some-thing'), 'kernel/lib/some-thing.ko': moduleFile() });
    mkdirSync(join(folder, 'usr'));
    expect(spawnSync('mv', [join(folder, 'lib'), join(folder, 'usr/lib')]).status).to.equal(0);
    expect(await gatherModules(kernel(), out)).to.deep.equal(['some_thing.ko', 'squashfs.ko']);
  });

  it('are those in updates/ where there are two of a name', async () => {
    builtIn('virtio_pci', 'virtio_console', 'virtio_blk', 'overlay');
    write({ 'updates/squashfs.ko': moduleFile('depends=', 'mine=1'), 'kernel/fs/squashfs.ko': moduleFile() });
    await gatherModules(kernel(), out);
    expect(readFileSync(join(out, 'squashfs.ko'), 'latin1')).to.include('mine=1');
  });

  it('must include what a guest boots with: the options are named', async () => {
    const { 'kernel/fs/squashfs/squashfs.ko': _, ...rest } = cloud;
    write(rest);
    builtIn('fs/ext4');
    const error = await refusal(kernel({ config: 'CONFIG_VIRTIO_CONSOLE=m\n# CONFIG_SQUASHFS is not set\n' }));
    expect(error.message).to.equal('6.12 lacks what a guest boots with: CONFIG_VIRTIO_CONSOLE, CONFIG_SQUASHFS');
    expect(error.evidence).to.include('CONFIG_VIRTIO_CONSOLE=m, but there is no virtio_console.ko');
    expect(readdirSync(out)).to.deep.equal([]);
  });

  it('are asked for where the config has them and nobody gave them', async () => {
    const config = ['VIRTIO_PCI', 'VIRTIO_BLK', 'VIRTIO_CONSOLE', 'SQUASHFS']
      .map((name) => `CONFIG_${name}=y\n`)
      .join('');
    const { modules: _, ...bare } = kernel({ config: `${config}CONFIG_OVERLAY_FS=m\n` });
    expect((await refusal(bare)).next).to.include('--modules');
    expect(await gatherModules({ ...bare, config: `${config}CONFIG_OVERLAY_FS=y\n` }, out)).to.deep.equal([]);
  });

  it('may all be built in, for all that one knows of a bare image', async () => {
    const { modules: _, ...bare } = kernel();
    expect(await gatherModules(bare, out)).to.deep.equal([]);
  });

  it('are refused where the folder has another release', async () => {
    write(cloud);
    const error = await refusal(kernel({ release: '6.12.2-cloud' }));
    expect(error.message).to.include('has no modules of 6.12.2-cloud');
    expect(existsSync(join(out, 'virtio.ko'))).to.equal(false);
  });

  it('say themselves what they need', () => {
    expect(dependencies(moduleFile('depends=a-b,c'))).to.deep.equal(['a_b', 'c']);
    expect(dependencies(moduleFile('depends=', 'softdep=pre: crc32c x-y post: later'))).to.deep.equal([
      'crc32c',
      'x_y',
    ]);
    expect(dependencies(moduleFile('softdep=post: later', 'parm=depends=no'))).to.deep.equal([]);
  });
});
