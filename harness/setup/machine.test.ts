import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { FakeMachine } from './fake-machine.test-support.js';
import { findProgram, searchFolders } from './machine.mjs';

describe('programs on this machine', () => {
  it('are found in PATH, and in sbin when PATH lacks it', () => {
    expect(searchFolders('/opt/bin:/usr/bin::bin')).to.deep.equal([
      '/opt/bin',
      '/usr/bin',
      '/usr/local/sbin',
      '/usr/sbin',
      '/sbin',
      '/bin',
    ]);
  });

  it('count only when they can be executed', () => {
    using fake = new FakeMachine();
    fake.write('bin/ip', 'not executable');
    fake.write('bin/ping/readme', 'a folder');
    const tcpdump = fake.script('tcpdump', '');
    expect(findProgram('ip', fake.machine.folders)).to.equal(undefined);
    expect(findProgram('ping', fake.machine.folders)).to.equal(undefined);
    expect(findProgram('tcpdump', fake.machine.folders)).to.equal(tcpdump);
  });

  it('do not count as busybox applets, but a full program behind one does', () => {
    using fake = new FakeMachine();
    const applets = path.dirname(fake.write('applets/none', ''));
    const busybox = fake.script('busybox', '');
    symlinkSync(busybox, path.join(applets, 'ping'));
    expect(findProgram('ping', [applets, ...fake.machine.folders])).to.equal(undefined);
    const ping = fake.script('ping', '');
    expect(findProgram('ping', [applets, ...fake.machine.folders])).to.equal(ping);
  });
});
