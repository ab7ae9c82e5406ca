import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { MacvlabError } from '../core/error.js';
import { missingOptions, refuseUnsuitable } from './config-check.js';
import { configNeeds } from './config-needs.js';
import type { Kernel } from './kernel.js';

/** The config fragment that users merge into theirs, as docs/kernels.md explains. */
const fragment = readFileSync(join(process.cwd(), 'docs/macvlab-guest.config'), 'utf8');

/** The fragment with some options changed to `m`, or removed. */
const changed = (options: Record<string, 'm' | 'n'>): string =>
  Object.entries(options).reduce(
    (text, [option, value]) =>
      text.replace(
        new RegExp(`^CONFIG_${option}=.*$`, 'm'),
        value === 'm' ? `CONFIG_${option}=m` : `# CONFIG_${option} is not set`,
      ),
    fragment,
  );

const namesOf = (...args: Parameters<typeof missingOptions>): string[] =>
  missingOptions(...args).map(({ option }) => option);

describe('a kernel’s config', () => {
  it('lacks nothing when the fragment of the docs was merged into it', () => {
    expect(namesOf(fragment, { shape: 'three guests', modules: false })).to.deep.equal([]);
  });

  it('gets from the fragment every option, with its menus, and but for what is no need only these', () => {
    const [needs = '', convenience = ''] = fragment.split(/^# Convenience.*$/m);
    const optionsIn = (text: string): string[] =>
      [...text.matchAll(/^CONFIG_(\w+)=y$/gm)].map(([, option = '']) => option);
    const wanted = new Set(
      configNeeds.flatMap(({ under = [], option, newer }) => [...under, option, ...(newer ? [newer] : [])]),
    );
    expect(optionsIn(needs)).to.have.members([...wanted]);
    expect(optionsIn(convenience)).to.include.members(['MODULES', 'PVH']).and.not.include.members(['MACVLAN']);
  });

  it('is without any option when it is empty, or all are commented out', () => {
    expect(namesOf('', { shape: 'three guests' })).to.have.lengthOf(configNeeds.length);
    expect(namesOf(fragment.replace(/^CONFIG/gm, '# CONFIG'))).to.have.lengthOf(configNeeds.length - 1);
  });

  it('must have what comes before modules built in', () => {
    expect(missingOptions(changed({ DEVTMPFS: 'm', SQUASHFS: 'm' }))).to.containSubset([
      { option: 'DEVTMPFS', asModule: true },
    ]);
    expect(namesOf(changed({ DEVTMPFS: 'm', SQUASHFS: 'm' }))).to.deep.equal(['DEVTMPFS']);
  });

  it('is not met by modules that nobody has', () => {
    expect(namesOf(changed({ SQUASHFS: 'm', VETH: 'm' }), { modules: false })).to.deep.equal(['SQUASHFS', 'VETH']);
  });

  it('needs network cards only for three guests', () => {
    expect(namesOf(changed({ VIRTIO_NET: 'n' }), { shape: 'one guest' })).to.deep.equal([]);
    expect(namesOf(changed({ VIRTIO_NET: 'n' }), { shape: 'three guests' })).to.deep.equal(['VIRTIO_NET']);
  });

  it('meets a need by the option that newer kernels have instead', () => {
    expect(namesOf(fragment.replace('CONFIG_PROC_SYSCTL=y', ''))).to.deep.equal([]);
    expect(namesOf(changed({ PROC_SYSCTL: 'n', SYSCTL: 'n' }))).to.deep.equal(['PROC_SYSCTL']);
  });

  it('is read whatever its line ends are', () => {
    expect(namesOf(fragment.replaceAll('\n', '\r\n'))).to.deep.equal([]);
  });
});

describe('refusing a kernel', () => {
  const refusal = (config: string | undefined, modules?: string): string => {
    const kernel: Kernel = {
      name: './linux',
      release: '6.1.0',
      image: '/linux/arch/x86/boot/bzImage',
      origin: 'own image',
      id: 'own',
      ...(config === undefined ? {} : { config }),
      ...(modules === undefined ? {} : { modules }),
    };
    try {
      refuseUnsuitable(kernel, 'one guest');
      return '';
    } catch (error) {
      return (error as MacvlabError).format();
    }
  };

  it('names what is missing, what it is for, and how to get it, menus included', () => {
    expect(refusal(changed({ SQUASHFS: 'n', MISC_FILESYSTEMS: 'n', FUTEX: 'n' }))).to.equal(
      `KERNEL_UNSUITABLE: ./linux (6.1.0) lacks 2 options that a guest needs to come up
    CONFIG_FUTEX                  threads
    CONFIG_SQUASHFS               the root image
  next: in the kernel’s tree: scripts/config -e FUTEX -e MISC_FILESYSTEMS -e SQUASHFS && make olddefconfig && make -j$(nproc) bzImage modules`,
    );
  });

  it('tells of a module that comes too late, with its modules at hand', () => {
    expect(refusal(changed({ DEVTMPFS: 'm' }), '/modules')).to.match(
      /lacks an option that a guest needs to come up\n {4}CONFIG_DEVTMPFS=m +\/dev \(must be =y.*\n {2}next: .*-e DEVTMPFS &&/,
    );
  });

  it('asks for the modules where only they are missing', () => {
    expect(refusal(changed({ SQUASHFS: 'm', MACVTAP: 'm' }))).to.match(
      /has as modules what a guest needs.*no modules were given\n {4}CONFIG_SQUASHFS=m +the root image\n {2}next: give its build tree: --kernel \/linux; or .* lib\/modules\/6\.1\.0: --modules <folder>/,
    );
  });

  it('is not for experiments that would be skipped, nor for a config that nobody knows', () => {
    expect(refusal(changed({ VLAN_8021Q: 'n', IPV6: 'n', VIRTIO_NET: 'n' }))).to.equal('');
    expect(refusal(undefined)).to.equal('');
  });
});
