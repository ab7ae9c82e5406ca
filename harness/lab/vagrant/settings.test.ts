import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { ownBox, readSettings } from './settings.js';

describe('settings of the Vagrant lab', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-settings-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('are those of the file that comes with it', () => {
    expect(readSettings({})).to.deep.equal({
      provider: 'libvirt',
      box: ownBox,
      kernel: '',
      driver: 'auto',
      uri: '',
      bridge: '',
    });
  });

  it('are those of another file where one is named, and the environment’s before all', () => {
    const file = join(folder, 'settings.yaml');
    writeFileSync(file, 'box: debian/bookworm64\nkernel: 6.12\n');
    const environment = { MACVLAB_VAGRANT_SETTINGS: file, MACVLAB_VAGRANT_DRIVER: 'qemu', MACVLAB_VAGRANT_KERNEL: '' };
    expect(readSettings(environment)).to.include({ box: 'debian/bookworm64', driver: 'qemu', kernel: '' });
  });

  it('are refused with the file’s name when it cannot be read', () => {
    const file = join(folder, 'none.yaml');
    expect(() => readSettings({ MACVLAB_VAGRANT_SETTINGS: file }))
      .to.throw(MacvlabError)
      .with.property('next')
      .that.contains(file);
  });
});
