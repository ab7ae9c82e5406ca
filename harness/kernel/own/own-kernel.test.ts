import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Context } from 'mocha';
import { ownKernel } from './own-kernel.js';
import { indexModules } from './own-modules.js';
import { aBzImage, aModule, anElf, errorOf, put, putModules } from './own-kernel.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

const release = '6.1.0-own';

function skipWithout(program: string): (this: Context) => void {
  return function () {
    needs(this, program);
  };
}

describe('an own kernel', () => {
  let folder: string;
  const ownCache = process.env.MACVLAB_CACHE;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-own-'));
    process.env.MACVLAB_CACHE = join(folder, 'cache');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    delete process.env.MACVLAB_CACHE;
    if (ownCache !== undefined) process.env.MACVLAB_CACHE = ownCache;
  });
  const at = (...path: string[]): string => join(folder, ...path);
  const refusalOf = async (...args: Parameters<typeof ownKernel>): Promise<string> => {
    const { code, message, next } = await errorOf(ownKernel(...args));
    return `${code}: ${message}; ${next}`.replaceAll(folder, '');
  };

  describe('as an image', () => {
    it('is named as given, and known by its contents', async () => {
      const image = put(at('bzImage'), aBzImage());
      const kernel = await ownKernel(image);
      expect(kernel).to.deep.include({ name: image, image, release, origin: 'own image #1 SMP today' });
      expect(kernel).not.to.have.any.keys('modules', 'config');
      expect(kernel.id).to.match(/^own-[0-9a-f]{16}-builtin$/);
      put(image, aBzImage({ payload: gzipSync('other') }));
      expect((await ownKernel(image)).id).not.to.equal(kernel.id);
    });

    it('is found from the current folder', async () => {
      const path = put(at('bzImage'), aBzImage()).replace('/', '../'.repeat(process.cwd().split('/').length));
      expect(await ownKernel(path)).to.include({ name: path, image: at('bzImage') });
    });

    const config = '# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_NET=y\n';
    const places: Record<string, [file: string, image: string]> = {
      'beside it, by its release': [`config-${release}`, 'bzImage'],
      'beside it, by its name': ['config-mine', 'vmlinuz-mine'],
      'beside it, as .config of its version': ['.config', 'bzImage'],
      'in the tree that it lies in': ['.config', 'arch/x86/boot/bzImage'],
      'with its modules': [`root/lib/modules/${release}/build/.config`, 'bzImage'],
    };
    for (const [where, [file, image]] of Object.entries(places)) {
      it(`has its config ${where}`, async function () {
        skipWithout('depmod').call(this);
        putModules(at('root'), release);
        put(at(file), config);
        expect((await ownKernel(put(at(image), aBzImage()), { modules: at('root') })).config).to.equal(config);
      });
    }

    it('does not take the .config of another version for its own', async () => {
      put(at('.config'), config.replace('6.1.0', '5.10.1'));
      expect((await ownKernel(put(at('bzImage'), aBzImage()))).config).to.equal(undefined);
    });

    it('has its config in itself, once unpacked', async () => {
      const marked = Buffer.concat([Buffer.from('IKCFG_ST'), gzipSync(config), Buffer.from('IKCFG_ED')]);
      const rest = Buffer.concat([Buffer.alloc(333, 'x'), marked, Buffer.alloc(99, 'y')]);
      const image = put(at('bzImage'), aBzImage({ payload: gzipSync(anElf({ rest })) }));
      expect((await ownKernel(image)).config).to.equal(config);
      expect((await ownKernel(image)).config).to.equal(config);
    });

    it('is refused when nothing is there, or something else', async () => {
      expect(await refusalOf(at('none'))).to.match(/^KERNEL_UNKNOWN: there is no kernel at \/none;/);
      expect(await refusalOf(put(at('text'), 'hello'))).to.match(
        /^KERNEL_UNKNOWN: \/text is no bzImage, but a text file;/,
      );
    });
  });

  describe('with a folder of modules', () => {
    before(skipWithout('depmod'));
    let image: string;
    beforeEach(() => (image = put(at('bzImage'), aBzImage())));

    it('uses what is indexed where it is', async () => {
      putModules(at('root'), release);
      await indexModules(at('root'), release);
      for (const named of ['root', 'root/lib/modules', `root/lib/modules/${release}`]) {
        expect((await ownKernel(image, { modules: at(named) })).modules).to.equal(at('root'));
      }
    });

    it('indexes what is not in a private folder, and leaves the user’s alone', async () => {
      putModules(at('root'), release);
      const before = readdirSync(at('root'), { recursive: true });
      const { modules = '' } = await ownKernel(image, { modules: at('root') });
      expect(modules).to.match(/\/cache\/own-modules\//);
      expect(existsSync(join(modules, 'lib/modules', release, 'modules.dep'))).to.equal(true);
      expect(existsSync(join(modules, 'lib/modules', release, 'kernel/drivers/net/macvlan.ko'))).to.equal(true);
      expect(readdirSync(at('root'), { recursive: true })).to.deep.equal(before);
    });

    it('has another id when a module is another', async () => {
      putModules(at('root'), release);
      const first = await ownKernel(image, { modules: at('root') });
      expect((await ownKernel(image, { modules: at('root') })).id).to.equal(first.id);
      utimesSync(at('root/lib/modules', release, 'kernel/drivers/net/macvlan.ko'), 1, 1);
      const second = await ownKernel(image, { modules: at('root') });
      expect(second.id).not.to.equal(first.id);
      expect(second.modules).not.to.equal(first.modules);
    });

    it('takes modules that lie loose in a folder when they say that they are its own', async () => {
      put(at('loose/macvlan.ko'), aModule(release));
      const { modules = '' } = await ownKernel(image, { modules: at('loose') });
      expect(existsSync(join(modules, 'lib/modules', release, 'macvlan.ko'))).to.equal(true);
      put(at('other/macvlan.ko'), aModule('5.10.0'));
      expect(await refusalOf(image, { modules: at('other') })).to.match(
        /\/other has the modules of 5\.10\.0, and the image is 6\.1\.0-own/,
      );
    });

    it('is refused with another release’s, naming both', async () => {
      putModules(at('root'), '6.12.1');
      putModules(at('root'), '5.10.0');
      for (const named of ['root', 'root/lib/modules']) {
        expect(await refusalOf(image, { modules: at(named) })).to.match(
          /^KERNEL_UNSUITABLE: .* has the modules of 5\.10\.0, 6\.12\.1, and the image is 6\.1\.0-own, which would load none of them; give the modules of 6\.1\.0-own/,
        );
      }
    });

    it('is refused with a folder that is none, has none, or is a build tree', async () => {
      expect(await refusalOf(image, { modules: at('none') })).to.match(/^KERNEL_UNKNOWN: \/none is no folder/);
      expect(await refusalOf(image, { modules: image })).to.match(/^KERNEL_UNKNOWN: \/bzImage is no folder/);
      mkdirSync(at('empty'));
      expect(await refusalOf(image, { modules: at('empty') })).to.match(
        /^KERNEL_UNKNOWN: \/empty has no modules: no lib\/modules\/6\.1\.0-own in it/,
      );
      put(at('tree/include/config/auto.conf'));
      expect(await refusalOf(image, { modules: at('tree') })).to.match(/is a kernel’s build tree.*--kernel \/tree$/);
    });
  });

  describe('as a build tree', () => {
    const config = 'CONFIG_MODULES=y\nCONFIG_MACVLAN=m\n';
    /** The files of a kernel build, and the part of its Makefile that installs modules; it counts its calls. */
    const putTree = (): void => {
      put(at('linux/arch/x86/boot/bzImage'), aBzImage());
      put(at('linux/include/config/auto.conf'), config);
      put(at('linux/include/config/kernel.release'), `${release}\n`);
      put(at('linux/modules.order'), 'kernel/net/macvlan.ko\nnet/bridge.o\n');
      put(at('linux/net/macvlan.ko'), aModule(release));
      put(at('linux/net/bridge.ko'), aModule(release));
      put(
        at('linux/Makefile'),
        `to = $(INSTALL_MOD_PATH)/lib/modules/${release}\n` +
          'modules_install:\n\tmkdir -p $(to)/kernel\n\tcp net/macvlan.ko net/bridge.ko $(to)/kernel\n\techo $(INSTALL_MOD_STRIP) >>../installed\n',
      );
    };
    const timesInstalled = (): number =>
      existsSync(at('installed')) ? statSync(at('installed')).size / '1\n'.length : 0;
    beforeEach(putTree);

    describe('with modules', () => {
      before(skipWithout('make'));
      before(skipWithout('depmod'));

      it('has them installed and indexed in a private folder, once, and says so', async () => {
        const before = readdirSync(at('linux'), { recursive: true });
        const lines: string[] = [];
        const kernel = await ownKernel(at('linux'), { onProgress: (line) => lines.push(line) });
        expect(kernel).to.include({
          release,
          config,
          image: at('linux/arch/x86/boot/bzImage'),
          origin: 'own build tree #1 SMP today',
        });
        expect(readdirSync(join(kernel.modules!, 'lib/modules', release))).to.include.members([
          'kernel',
          'modules.dep',
        ]);
        expect(readdirSync(at('linux'), { recursive: true })).to.deep.equal(before);
        expect(await ownKernel(at('linux'), { onProgress: (line) => lines.push(line) })).to.deep.equal(kernel);
        expect(lines).to.deep.equal([`installing the 2 modules of ${at('linux')} into a private folder`]);
        expect(timesInstalled()).to.equal(1);
      });

      it('has another id, and its modules installed anew, when either part was built anew', async () => {
        const ids = [(await ownKernel(at('linux'))).id];
        put(at('linux/arch/x86/boot/bzImage'), aBzImage({ payload: gzipSync('other') }));
        ids.push((await ownKernel(at('linux'))).id);
        utimesSync(at('linux/net/bridge.ko'), 1, 1);
        ids.push((await ownKernel(at('linux'))).id);
        expect(new Set(ids)).to.have.lengthOf(3);
        expect(timesInstalled()).to.equal(3);
      });

      it('tells why they cannot be installed, and keeps nothing half', async () => {
        put(
          at('linux/Makefile'),
          'modules_install:\n\tmkdir -p $(INSTALL_MOD_PATH)/lib; echo no key to sign with >&2; false\n',
        );
        const { message, evidence } = await errorOf(ownKernel(at('linux')));
        expect(message).to.match(/^could not install the tree’s modules: make ended with status 2/);
        expect(evidence).to.match(/no key to sign with/);
        expect(readdirSync(at('cache/own-modules'))).to.deep.equal([]);
      });
    });

    it('has none when its config makes none', async () => {
      put(at('linux/include/config/auto.conf'), 'CONFIG_MODULES=y\nCONFIG_MACVLAN=y\n');
      expect(await ownKernel(at('linux'))).not.to.have.property('modules');
    });

    it('is refused when it is not built, wholly or in part, with the commands', async () => {
      rmSync(at('linux/net/bridge.ko'));
      expect(await refusalOf(at('linux'))).to.equal(
        'KERNEL_UNSUITABLE: /linux has not all of its modules built: net/bridge.ko is missing; make -C /linux -j$(nproc) modules',
      );
      rmSync(at('linux/modules.order'));
      expect(await refusalOf(at('linux'))).to.match(
        /^KERNEL_UNSUITABLE: \/linux has its image built, but not its modules; make/,
      );
      rmSync(at('linux/arch'), { recursive: true });
      expect(await refusalOf(at('linux'))).to.match(
        /is a kernel’s tree that is not built.*; cd \/linux && make defconfig && make -j/,
      );
      put(at('linux/.config'));
      expect(await refusalOf(at('linux'))).to.match(/; cd \/linux && make -j\$\(nproc\) bzImage modules$/);
    });

    it('is refused when it has moved on from its image', async () => {
      put(at('linux/include/config/kernel.release'), '6.2.0-rc1\n');
      expect(await refusalOf(at('linux'))).to.match(
        /\/linux has the image of 6\.1\.0-own, and is 6\.2\.0-rc1 since; make -C/,
      );
    });

    it('is not any folder, but what looks like an image in it is named', async () => {
      put(at('boot/vmlinuz-6.1'));
      expect(await refusalOf(folder)).to.match(
        /^KERNEL_UNKNOWN: {2}is a folder, and no kernel was built in it; give the image itself: \/boot\/vmlinuz-6\.1$/,
      );
      rmSync(at('boot'), { recursive: true });
      expect(await refusalOf(folder)).to.match(/; give a bzImage, or the top folder/);
    });

    it('may be reached through a link', async () => {
      put(at('linux/include/config/auto.conf'), 'CONFIG_NET=y\n');
      symlinkSync(at('linux'), at('link'));
      expect(await ownKernel(at('link'))).to.include({ name: at('link'), config: 'CONFIG_NET=y\n' });
    });
  });
});
