import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { checkVagrant } from './check.js';
import { claimMachines, updateClaim } from './claim.js';

describe('what the Vagrant lab needs', function () {
  this.timeout(30_000);
  const names = ['PATH', 'VAGRANT_DOTFILE_PATH', 'MACVLAB_VAGRANT_BOX', 'MACVLAB_VAGRANT_PROVIDER'] as const;
  const before = names.map((name) => [name, process.env[name]] as const);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-check-'));
    process.env['PATH'] = `${folder}${delimiter}${process.env['PATH']}`;
    process.env['VAGRANT_DOTFILE_PATH'] = folder;
    process.env['MACVLAB_VAGRANT_BOX'] = 'debian/bookworm64';
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  /** Creates a vagrant that prints these words, and ends with this status. */
  const vagrantSays = (words: string, status = 0) => {
    writeFileSync(join(folder, 'vagrant'), `#!/bin/sh\necho '${words}'\nexit ${status}\n`);
    chmodSync(join(folder, 'vagrant'), 0o755);
  };
  const finding = async (what: string) => {
    const findings = await checkVagrant({});
    return findings.find((each) => each.what === what);
  };

  it('is Vagrant’s plugin for libvirt, in the version that Vagrant tells', async () => {
    vagrantSays('vagrant-libvirt (0.11.2, system)');
    expect(await finding('vagrant-libvirt')).to.include({ found: true, detail: '0.11.2' });
    vagrantSays('No plugins installed.');
    const missing = await finding('vagrant-libvirt');
    expect(missing?.found).to.equal(false);
    expect(missing?.next).to.contain('vagrant-libvirt');
    vagrantSays('no ruby', 1);
    expect((await finding('vagrant-libvirt'))?.detail).to.contain('ended with status 1');
  });

  it('is VirtualBox where that is chosen', async () => {
    process.env['MACVLAB_VAGRANT_PROVIDER'] = 'virtualbox';
    vagrantSays('');
    const { found, next } = (await finding('virtualbox')) ?? {};
    if (!found) expect(next).to.contain('MACVLAB_VAGRANT_PROVIDER=libvirt');
    expect(await finding('libvirt')).to.equal(undefined);
  });

  it('is told with who has the machines', async () => {
    vagrantSays('');
    expect(await finding('machines')).to.equal(undefined);
    await claimMachines();
    expect((await finding('machines'))?.detail).to.contain(`process ${process.pid} uses those`);
    updateClaim({ made: true, owner: { pid: process.pid, startTime: 1 } });
    expect((await finding('machines'))?.detail).to.match(/was killed .* macvlab gc/);
    writeFileSync(join(folder, 'macvlab.json'), '');
    const damaged = await finding('machines');
    expect(damaged?.found).to.equal(false);
    expect(damaged?.next).to.contain('rm ');
  });
});
