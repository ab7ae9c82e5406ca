import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { debianMirror } from './debian-mirror.js';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

describe('the mirror of Debian', () => {
  let folder = '';
  const saved = { ...process.env };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-mirror-'));
    delete process.env.MACVLAB_DEBIAN_MIRROR;
    delete process.env.MACVLAB_DEBIAN_KEYRING;
    write(keyring, '');
  });

  afterEach(() => {
    process.env = { ...saved };
    rmSync(folder, { recursive: true, force: true });
  });

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }

  const mirror = () => {
    const { main, security } = debianMirror(folder);
    return [main, security];
  };

  it('is read from stanzas', () => {
    write(
      '/etc/apt/sources.list.d/debian.sources',
      `# of the installer
Types: deb deb-src
URIs: http://near.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: ${keyring}

Types: deb
URIs: http://secure.example/debian-security
Suites: bookworm-security
Components: main non-free
`,
    );
    expect(mirror()).to.deep.equal(['http://near.example/debian', 'http://secure.example/debian-security']);
  });

  it('is read from lines', () => {
    write(
      '/etc/apt/sources.list',
      `# deb http://old.example/debian buster main
deb-src http://source.example/debian bookworm main
deb [arch=amd64 signed-by=${keyring}] https://near.example/debian bookworm main contrib # near
deb http://secure.example/debian-security bookworm-security main
`,
    );
    expect(mirror()).to.deep.equal(['https://near.example/debian', 'http://secure.example/debian-security']);
  });

  it('is none of those who offer packages for Debian, and none that is switched off', () => {
    write(
      '/etc/apt/sources.list.d/a.list',
      `deb https://tools.example bookworm main
deb [signed-by=/usr/share/keyrings/other.gpg] https://other.example/debian bookworm main
deb https://engine.example/linux/debian bookworm stable
deb https://ubuntu.example/ubuntu noble main
deb cdrom:[Debian]/ bookworm main
deb http://near.example/debian trixie main
`,
    );
    write(
      '/etc/apt/sources.list.d/b.sources',
      `Types: deb\nURIs: http://off.example/debian\nSuites: trixie\nComponents: main\nEnabled: no\nSigned-By: ${keyring}\n`,
    );
    expect(mirror()).to.deep.equal(['http://near.example/debian', 'http://near.example/debian-security']);
  });

  it('is what the environment says', () => {
    write('/etc/apt/sources.list', 'deb http://near.example/debian trixie main\n');
    process.env.MACVLAB_DEBIAN_MIRROR = 'https://mine.example/pub/debian/';
    expect(mirror()).to.deep.equal(['https://mine.example/pub/debian', 'https://mine.example/pub/debian-security']);
  });

  it('is asked for where there is none', () => {
    write('/etc/apt/sources.list', 'deb http://ubuntu.example/ubuntu noble main\n');
    expect(mirror).to.throw(MacvlabError, 'name no mirror of Debian').with.property('code', 'KERNEL_FETCH');
  });

  it('is of no use without the keys of the archive', () => {
    write('/etc/apt/sources.list', 'deb http://near.example/debian trixie main\n');
    rmSync(join(folder, keyring));
    expect(mirror).to.throw(MacvlabError).with.property('next', 'install the package debian-archive-keyring');
  });
});
