/** Tests vagrant/provision.sh on a machine that has only the programs in a folder; vagrant/test provisions real machines. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { findProgram } from '../../setup/tools.mjs';
import { packageFolder } from './package-folder.js';

/** The programs of a package; every other package contains one program with the package’s name. */
const programsOf: Record<string, string[]> = {
  iproute2: ['ip', 'bridge', 'tc'],
  'iputils-ping': ['ping'],
  'iputils-arping': ['arping'],
  'openssh-server': ['sshd'],
  'util-linux': ['nsenter', 'unshare'],
};
const all = ['iproute2', 'tcpdump', 'ethtool', 'iputils-ping', 'iputils-arping', 'openssh-server', 'mount', 'sudo'];
const allInstalled = new RegExp(`^install .* ${all.join(' ')}$`);

/** Records its arguments, and creates the programs of the packages to install. */
const aptGet = `echo "$@" >>"$MACHINE/log"
case $* in
*' update') [ ! -s "$MACHINE/locks" ] || { echo 'E: Could not get lock /var/lib/apt/lists/lock.'; : >"$MACHINE/locks"; exit 100; } ;;
*) [ ! -e "$MACHINE/offline" ] || { echo 'E: Unable to locate package' >&2; exit 100; }
  for package; do
    case $package in
${Object.entries(programsOf)
  .map(([name, programs]) => `${name}) set -- ${programs.join(' ')} ;;`)
  .join('\n')}
    linux-modules-extra-*) rm "$MACHINE/lacks"; continue ;;
    -* | install | DPkg* | Acquire*) continue ;;
    *) set -- "$package" ;;
    esac
    for program; do printf '#!/bin/sh\\necho "$0 from iputils"\\n' >"$MACHINE/$program"; chmod 755 "$MACHINE/$program"; done
  done ;;
esac`;

describe('vagrant/provision.sh', () => {
  let machine: string;
  beforeEach(() => {
    machine = mkdtempSync(join(tmpdir(), 'macvlab-provision-'));
    for (const name of ['sh', 'grep', 'mktemp', 'cat', 'rm', 'chmod', 'uname']) {
      symlinkSync(findProgram(name) ?? name, join(machine, name));
    }
    program('sleep', 'echo "sleep $1" >>"$MACHINE/log"');
    program('apt-get', aptGet);
    program('apt-cache', 'exit 0');
    program('unshare', 'cat "$MACHINE/lacks" 2>/dev/null || true');
    program('nsenter', '');
  });
  afterEach(() => rmSync(machine, { recursive: true }));

  function program(name: string, text: string): void {
    writeFileSync(join(machine, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  /** Provisions the machine; returns the output, and the arguments of apt-get. */
  function provision(): { status: number | null; said: string; asked: string[] } {
    writeFileSync(join(machine, 'log'), '');
    const { status, stdout, stderr } = spawnSync('/bin/sh', [join(packageFolder, 'vagrant/provision.sh')], {
      env: { MACVLAB_PATH: machine, MACHINE: machine, TMPDIR: machine },
      encoding: 'utf8',
    });
    const asked = readFileSync(join(machine, 'log'), 'utf8').split('\n').slice(0, -1);
    return { status, said: stdout + stderr, asked: asked.map((line) => line.replace(/^-q (-o \S+ )+/, '')) };
  }

  it('installs what a machine lacks, says what, and does nothing the second time', () => {
    const first = provision();
    expect(first.said).to.equal(`macvlab: installing ${all.join(' ')}\n`);
    expect(first.status).to.equal(0);
    expect(first.asked).to.have.lengthOf(2);
    expect(first.asked[0]).to.equal('update');
    expect(first.asked[1]).to.match(allInstalled);
    expect(provision()).to.deep.equal({ status: 0, said: 'macvlab: all programs are there\n', asked: [] });
  });

  it('installs the ping and the arping that we know in place of others of these names', () => {
    provision();
    program('arping', 'echo "ARPing 2.23, by another" >&2; exit 1');
    program('ping', 'echo "ping (GNU inetutils) 2.4"');
    const { status, said } = provision();
    expect(said).to.equal('macvlab: installing iputils-ping iputils-arping\n');
    expect(status).to.equal(0);
  });

  it('waits for another program that has the lists’ lock', () => {
    writeFileSync(join(machine, 'locks'), 'held');
    const { status, said, asked } = provision();
    expect(asked.slice(0, 3)).to.deep.equal(['update', 'sleep 5', 'update']);
    expect(said).to.contain('waiting for another program');
    expect(status).to.equal(0);
  });

  it('fails with the next step where no package can be had', () => {
    writeFileSync(join(machine, 'offline'), '');
    const { status, said } = provision();
    expect(status).to.equal(1);
    expect(said).to.match(/^macvlab: the machine \S+ lacks iproute2 .*\n {2}next: .*management: nat/m);
  });

  it('fails where a package does not bring its program, and where there is no apt', () => {
    program('apt-get', 'exit 0');
    expect(provision()).to.include({ status: 1 }).with.property('said').that.contains('still lacks ip of the package');
    rmSync(join(machine, 'apt-get'));
    expect(provision())
      .to.include({ status: 1 })
      .with.property('said')
      .that.contains('choose a box of Debian or Ubuntu');
  });

  it('says what the kernel lacks, having installed its extra modules where there are any', () => {
    provision();
    writeFileSync(join(machine, 'lacks'), ' macvlan');
    program('apt-cache', 'exit 100');
    const without = provision();
    expect(without.said).to.match(
      /all programs are there\nmacvlab: the kernel \S+ lacks macvlan: what needs them is skipped/,
    );
    expect(without).to.deep.include({ status: 0, asked: [] });
    program('apt-cache', 'exit 0');
    const { said, asked } = provision();
    expect(asked.join()).to.match(/linux-modules-extra-/);
    expect(said).to.contain('installing linux-modules-extra-').and.not.contain('skipped');
  });
});
