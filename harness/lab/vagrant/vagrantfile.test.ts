/** The Vagrantfile, as Vagrant itself reads it; VirtualBox’s part is checked by this alone, since it cannot run in CI. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { findProgram } from '../../setup/tools.mjs';
import { threeMachines } from '../places.js';
import { topology } from '../topology.js';
import { cardsOf } from './machines.js';
import { packageFolder } from './package-folder.js';

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
  this.timeout(120_000);

  before(function () {
    if (!findProgram('vagrant') || !findProgram('ruby')) this.skip();
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

  it('refuses a setting that there is not, and says what to do', () => {
    const env = { ...process.env, ...settings, MACVLAB_VAGRANT_MEMORY: 'much' };
    const act = () =>
      execFileSync('vagrant', ['validate', '--ignore-provider'], { env, cwd: packageFolder, stdio: 'pipe' });
    expect(act).to.throw(/next: give a number, at least 128, in vagrant\/settings.yaml or in MACVLAB_VAGRANT_MEMORY/);
  });
});
