import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TestArchive } from '../../kernel/debian/archive.test-support.js';
import { type Ended, macvlab } from '../command-line.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

const [series, version] = ['6.12', '6.12.7-1'];
const release = '6.12.7+deb13-cloud-amd64';

describe('macvlab kernels', function () {
  this.timeout(60_000);
  let folder = '';
  let archive: TestArchive | undefined;

  const call = (words: string): Promise<Ended> =>
    macvlab(['kernels', ...words.split(' ')], {
      cwd: folder,
      env: { ...archive?.environment, MACVLAB_CACHE: join(folder, 'cache') },
    });

  before(function () {
    needs(this, 'apt-get', 'dpkg-deb', 'gpg', 'gpgv', 'depmod');
    folder = mkdtempSync(join(tmpdir(), 'macvlab-kernels-'));
    archive = new TestArchive(join(folder, 'debian'));
    const names = [`boot/vmlinuz-${release}`, `boot/config-${release}`];
    const modules = ['order', 'builtin'].map((name) => `lib/modules/${release}/modules.${name}`);
    const files = Object.fromEntries([...names, ...modules].map((name) => [name, '']));
    archive.publish([{ name: `linux-image-${release}`, version, files }]);
  });

  after(() => {
    archive?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('shows what there is, fetches it, and shows where it is', async () => {
    const before = await call('list');
    expect(before.status).to.equal(0);
    expect(before.stdout)
      .to.match(/^series +version/)
      .and.to.include(release)
      .and.not.include('fetched');
    const offered = await call(`show ${series}`);
    expect(offered.stdout).to.match(/^fetched +false$/m);
    expect(offered.stderr).to.include(`macvlab kernels fetch ${release}`);

    const fetched = await call(`fetch ${series} newest`);
    const line = `${release} (Debian sid, ${version}): ${join(folder, 'cache/kernels', `${release}_${version}`)}\n`;
    expect(fetched).to.include({ status: 0, stdout: line.repeat(2) });
    expect(fetched.stderr).to.include(`fetching ${release}`);

    const [row] = JSON.parse((await call('list 6.12.7 --json')).stdout) as Record<string, unknown>[];
    expect(row).to.include({ series, release, version, upstream: '6.12.7', fetched: true });
    expect((await call(`show ${release}`)).stdout).to.match(/^image +\/.*\/vmlinuz$/m);
  });

  it('refuses one that does not exist before it fetches any', async () => {
    const { status, stdout, stderr } = await call(`fetch ${series} 6.11`);
    expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
    expect(stderr)
      .to.include('KERNEL_UNKNOWN')
      .and.to.include('nearest: 6.12')
      .and.to.match(/^ {2}next: /m);
    expect((await call('list 6.11')).status).to.equal(2);
    expect((await call('show 6.11')).status).to.equal(2);
  });
});
