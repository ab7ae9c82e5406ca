/** The Vagrantfile, as Vagrant itself reads it; VirtualBox’s part is checked by this alone, since it cannot run in CI. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { findProgram } from '../../setup/tools.mjs';
import { threeMachines } from '../places.js';
import { topology } from '../topology.js';
import { cardsOf } from './machines.js';
import { packageFolder } from './package-folder.js';
import { wrongSettings } from './wrong-settings.test-support.js';

interface Asked {
  box: string;
  networks: Record<string, unknown>[];
  provisioners: { name: string; run: string | null; args: string[] | null }[];
  customizations?: string[][];
}

const settings = { MACVLAB_VAGRANT_BOX: 'debian/bookworm64' };

function evaluate(provider: string, more: Record<string, string> = {}): Record<string, Asked> {
  const env = { ...process.env, ...settings, MACVLAB_VAGRANT_PROVIDER: provider, ...more };
  const script = join(packageFolder, 'vagrant/evaluate.rb');
  return JSON.parse(execFileSync('ruby', [script, provider], { env, encoding: 'utf8' })) as Record<string, Asked>;
}

const plain = (mac: string) => mac.replaceAll(':', '');

describe('the Vagrantfile', function () {
  this.timeout(240_000);
  let folder = '';

  before(function () {
    if (!findProgram('vagrant') || !findProgram('ruby')) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'macvlab-vagrantfile-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it('gives each machine the cards that wiring looks for, whose tunnels fit together (libvirt)', () => {
    const machines = evaluate('libvirt');
    const ends = new Map<string, string>();
    for (const place of threeMachines) {
      const { networks = [], box } = machines[place.name] ?? {};
      expect(box).to.equal('debian/bookworm64');
      expect(networks.map(({ mac }) => mac)).to.have.members(cardsOf(place, topology).map(({ mac }) => plain(mac)));
      for (const each of networks) {
        expect(each).to.include({ libvirt__tunnel_type: 'udp', auto_config: false });
        expect(each['libvirt__tunnel_local_ip']).to.match(/^127\./);
        ends.set(String(each['libvirt__tunnel_local_port']), String(each['libvirt__tunnel_port']));
      }
    }
    expect(ends.size).to.equal(4);
    for (const [near, far] of ends) expect(ends.get(far)).to.equal(near);
  });

  it('lays the same cables as UDP tunnels with VirtualBox', () => {
    const machines = evaluate('virtualbox');
    const ends = new Map<string, string>();
    for (const place of threeMachines) {
      const cables = (machines[place.name]?.customizations ?? []).filter((argv) => argv.includes('generic'));
      const macs = cables.map((argv) => argv[argv.findIndex((word) => word.startsWith('--macaddress')) + 1]);
      expect(macs).to.have.members(cardsOf(place, topology).map(({ mac }) => plain(mac)));
      for (const argv of cables) {
        const property = (name: string) =>
          argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
        expect(argv).to.include('UDPTunnel');
        ends.set(property('sport'), property('dport'));
      }
    }
    expect(ends.size).to.equal(4);
    for (const [near, far] of ends) expect(ends.get(far)).to.equal(near);
  });

  it('leads the nodes’ cables to cards of this machine where these are named', () => {
    const machines = evaluate('libvirt', { MACVLAB_VAGRANT_BRIDGE: 'eno1 eno2' });
    const of = (name: string) => machines[name]?.networks.map(({ kind, dev, mode }) => ({ kind, dev, mode }));
    expect(of('node1')).to.deep.equal([{ kind: 'public_network', dev: 'eno1', mode: 'passthrough' }]);
    expect(of('node2')).to.deep.equal([{ kind: 'public_network', dev: 'eno2', mode: 'passthrough' }]);
  });

  it('is valid for VirtualBox', () => {
    const env = { ...process.env, ...settings, MACVLAB_VAGRANT_PROVIDER: 'virtualbox' };
    const said = execFileSync('vagrant', ['validate', '--ignore-provider'], {
      env,
      cwd: packageFolder,
      encoding: 'utf8',
    });
    expect(said).to.contain('validated successfully');
  });

  /** What Vagrant says when it refuses. */
  const refusal = (command: string[], more: Record<string, string>): string => {
    const env = { ...process.env, VAGRANT_DOTFILE_PATH: join(folder, 'machines'), ...more };
    const { status, stdout, stderr } = spawnSync('vagrant', command, { env, cwd: packageFolder, encoding: 'utf8' });
    expect(status).to.equal(1);
    return stdout + stderr;
  };

  for (const { given, next } of wrongSettings) {
    it(`refuses what macvlab refuses, and says what would be right: ${JSON.stringify(given)}`, () => {
      const said = refusal(['validate', '--ignore-provider'], given);
      expect(said)
        .to.match(/^macvlab: .*\n {2}next: /m)
        .and.to.match(next);
    });
  }

  it('refuses to bring machines up without their box, and lets them be asked for', () => {
    const cache = { MACVLAB_CACHE: join(folder, 'cache'), MACVLAB_VAGRANT_BOX: 'macvlab' };
    const prepare = 'next: npx macvlab lab prepare --lab vagrant --kernel 6.12';
    expect(refusal(['up'], { ...cache, MACVLAB_VAGRANT_KERNEL: '6.12' })).to.contain(prepare);
    const env = { ...process.env, ...cache, VAGRANT_DOTFILE_PATH: join(folder, 'machines') };
    const status = execFileSync('vagrant', ['status'], { env, cwd: packageFolder, encoding: 'utf8' });
    expect(status).to.contain('not created');
  });

  it('refuses a box whose files have been deleted since', () => {
    const cache = join(folder, 'deleted');
    mkdirSync(join(cache, 'vagrant/prepared'), { recursive: true });
    const made = { box: 'macvlab-1', file: '/nowhere/box', kernel: '/nowhere/k', initrd: '/nowhere/i', arguments: '' };
    writeFileSync(join(cache, 'vagrant/prepared/default.json'), JSON.stringify(made));
    const said = refusal(['up'], { MACVLAB_CACHE: cache, MACVLAB_VAGRANT_BOX: 'macvlab' });
    expect(said).to.contain('the box has not been made').and.to.contain('next: npx macvlab lab prepare --lab vagrant');
  });
});
