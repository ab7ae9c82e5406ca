import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { ownBox, readSettings } from './settings.js';
import { wrongSettings } from './wrong-settings.test-support.js';

describe('settings of the Vagrant lab', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-settings-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('are those of the file that comes with it', () => {
    expect(readSettings({})).to.deep.equal({
      provider: 'libvirt',
      box: ownBox,
      memory: '384',
      cpus: '1',
      kernel: '',
      driver: 'auto',
      uri: '',
      management: 'nat',
      bridge: '',
    });
  });

  it('are those of another file where one is named, and the environment’s before all', () => {
    const file = join(folder, 'settings.yaml');
    writeFileSync(file, 'box: debian/bookworm64\nkernel: 6.12\n');
    const environment = { MACVLAB_VAGRANT_SETTINGS: file, MACVLAB_VAGRANT_DRIVER: 'qemu', MACVLAB_VAGRANT_KERNEL: '' };
    const settings = readSettings(environment);
    expect(settings).to.include({ box: 'debian/bookworm64', driver: 'qemu', kernel: '' });
    expect(settings, 'what that file does not say').to.include({ provider: 'libvirt', memory: '384' });
  });

  it('take Vagrant’s own word for the provider, and ours before it', () => {
    const box = { MACVLAB_VAGRANT_BOX: 'debian/bookworm64', VAGRANT_DEFAULT_PROVIDER: 'virtualbox' };
    expect(readSettings(box).provider).to.equal('virtualbox');
    expect(readSettings({ ...box, MACVLAB_VAGRANT_PROVIDER: 'libvirt' }).provider).to.equal('libvirt');
  });

  for (const { given, next } of wrongSettings) {
    it(`are refused with what would be right: ${JSON.stringify(given)}`, () => {
      expect(() => readSettings(given))
        .to.throw(MacvlabError)
        .that.includes({ code: 'USAGE' })
        .with.property('next')
        .that.matches(next);
    });
  }

  for (const text of ['memmory: 512', '- 1', 'box: [a', 'cpus: true']) {
    it(`are refused with the file’s name when that holds what is no setting: ${text}`, () => {
      const file = join(folder, 'wrong.yaml');
      writeFileSync(file, text);
      expect(() => readSettings({ MACVLAB_VAGRANT_SETTINGS: file }))
        .to.throw(MacvlabError, file)
        .with.property('next')
        .that.contains('memory, cpus');
    });
  }

  it('are refused with the file’s name when it cannot be read', () => {
    const file = join(folder, 'none.yaml');
    expect(() => readSettings({ MACVLAB_VAGRANT_SETTINGS: file }))
      .to.throw(MacvlabError)
      .with.property('next')
      .that.contains(file);
  });
});
