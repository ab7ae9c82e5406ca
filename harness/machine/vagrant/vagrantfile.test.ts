/** Tests the Vagrantfile as Vagrant itself reads it. It is the only check of VirtualBox’s part, which cannot run in CI. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { threeMachines } from '../places.js';
import { topology } from '../topology.js';
import { cardsOf } from './machines.js';
import { packageFolder } from './package-folder.js';
import { wrongSettings } from './wrong-settings.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

interface Asked {
  box: string;
  networks: Record<string, unknown>[];
  provisioners: { name: string; run: string | null; args: string[] | null }[];
  customizations?: string[][];
}

const settings = { MACVLAB_VAGRANT_BOX: 'debian/bookworm64' };

function evaluate(provider: string, more: Record<string, string> = {}): Record<string, Asked> {
  return evaluated(provider, { ...process.env, ...settings, MACVLAB_VAGRANT_PROVIDER: provider, ...more });
}

function evaluated(provider: string, env: NodeJS.ProcessEnv): Record<string, Asked> {
  const script = join(packageFolder, 'vagrant/evaluate.rb');
  return JSON.parse(execFileSync('ruby', [script, provider], { env, encoding: 'utf8' })) as Record<string, Asked>;
}

const plain = (mac: string) => mac.replaceAll(':', '');

describe('the Vagrantfile', function () {
  this.timeout(240_000);
  let folder = '';

  before(function () {
    needs(this, 'vagrant', 'ruby');
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

  for (const provider of ['libvirt', 'virtualbox']) {
    it(`leads the nodes’ cables to cards of this machine where these are named (${provider})`, () => {
      const machines = evaluate(provider, { MACVLAB_VAGRANT_BRIDGE: 'eno1 eno2' });
      const addresses = ['node1', 'node2'].map((name, index) => {
        const { networks = [], provisioners = [] } = machines[name] ?? {};
        expect(networks).to.have.lengthOf(1);
        const card = `eno${index + 1}`;
        expect(networks[0]).to.include({ kind: 'public_network', bridge: card, dev: card, mode: 'passthrough' });
        const mac = String(networks[0]?.['mac']);
        // the machine's argument is the address of its own NIC
        const told = provisioners.find((each) => each.name === 'network')?.args?.[1] ?? '';
        expect(plain(told)).to.equal(`${name}=${mac}`);
        return mac;
      });
      // Another checkout's nodes may be connected to the same real switch.
      expect(addresses[0])
        .to.match(/^02[0-9a-f]{8}01$/)
        .and.not.match(/^026d766c/);
      expect(addresses[1]).to.equal(addresses[0]?.replace(/1$/, '2'));
    });
  }

  it('takes each setting from the file, and from the environment before the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'macvlab-vagrantfile-'));
    try {
      const file = join(folder, 'settings.yaml');
      const given = { box: 'a/file', memory: 500, cpus: 2, driver: 'kvm', uri: 'test:///file', management: 'none' };
      writeFileSync(file, JSON.stringify({ provider: 'libvirt', ...given, kernel: '', bridge: 'eno1 eno2' }));
      const without = { ...process.env, MACVLAB_VAGRANT_SETTINGS: file };
      const byFile = evaluated('libvirt', without)['node1'];
      expect(byFile).to.include({ box: 'a/file', memory: 500, cpus: 2, domain: 'kvm', uri: 'test:///file' });
      expect(byFile).to.include({ management: 'none' });
      expect(byFile?.networks[0]).to.include({ dev: 'eno1' });
      const byEnvironment = evaluated('libvirt', {
        ...without,
        MACVLAB_VAGRANT_BOX: 'an/other',
        MACVLAB_VAGRANT_MEMORY: '600',
        MACVLAB_VAGRANT_CPUS: '3',
        MACVLAB_VAGRANT_DRIVER: 'qemu',
        MACVLAB_VAGRANT_URI: 'test:///environment',
        MACVLAB_VAGRANT_MANAGEMENT: 'nat',
        MACVLAB_VAGRANT_BRIDGE: '',
      })['node1'];
      expect(byEnvironment).to.include({ box: 'an/other', memory: 600, cpus: 3, domain: 'qemu', management: 'nat' });
      expect(byEnvironment).to.include({ uri: 'test:///environment' });
      expect(byEnvironment?.networks[0]).to.include({ kind: 'private_network' });
    } finally {
      rmSync(folder, { recursive: true });
    }
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

  /** Vagrant's output when it rejects a command. */
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
