import { expect } from 'chai';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { readable, vagrant, vagrantFailure } from './vagrant-program.js';

const failure = (words: string) => vagrantFailure('bring the machines up', ['up'], words, 1);

describe('what Vagrant says', () => {
  it('is read without its progress bars', () => {
    const words = '==> node1: Uploading\n\u001b[KProgress: 0%\r\u001b[KProgress: 100%\r\u001b[K==> node1: Creating\n';
    expect(readable(words)).to.equal('==> node1: Uploading\n==> node1: Creating');
  });

  it('is read without places in its code', () => {
    expect(
      readable("/usr/lib/vagrant-2.3.4/lib/vagrant/machine.rb:248:in `action_raw'\nAddress already in use\n"),
    ).to.equal('Address already in use');
  });

  it('is read as a person would be told what it says for programs', () => {
    const said =
      '1,,ui,error,No provider%!(VAGRANT_COMMA) it seems.\\n\\nInstall one.\n1,,error-exit,Vagrant::Errors::X,No\n';
    expect(readable(said)).to.equal('No provider, it seems.\nInstall one.');
  });

  it('brings a refusal of the Vagrantfile with its own next step', () => {
    const error = failure(
      'macvlab: the box has not been made\n  next: npx macvlab lab prepare --lab vagrant   (or choose another)\n',
    );
    expect(error.message).to.equal('the box has not been made');
    expect(error.next).to.match(/^npx macvlab lab prepare --lab vagrant/);
  });

  it('brings a refusal of provisioning, which a machine says', () => {
    const error = failure(
      '    node1: macvlab: the machine node1 lacks tcpdump\n    node1:   next: choose a box of Debian or Ubuntu\nThe SSH command responded',
    );
    expect([error.message, error.next]).to.deep.equal([
      'the machine node1 lacks tcpdump',
      'choose a box of Debian or Ubuntu',
    ]);
  });

  const cases: [string, string, RegExp][] = [
    [
      "The provider 'libvirt' could not be found, but was requested to\nback the machine",
      'its provider is missing',
      /vagrant-libvirt/,
    ],
    [
      'Error while connecting to Libvirt: Call to virConnectOpen failed: Failed to connect socket',
      'libvirt does not',
      /systemctl/,
    ],
    [
      'Name `macvlab-1-node1` of domain about to create is already taken. Please try to run',
      'Vagrant does not know',
      /virsh/,
    ],
    [
      "Box 'debian/bookworm64' could not be found. Attempting to find\nThe box 'debian/bookworm64' could not be found or\ncould not be accessed",
      'box is missing',
      /MACVLAB_VAGRANT_BOX=macvlab npx macvlab run/,
    ],
    [
      "1795281442,,ui,error,The provider 'virtualbox' that was requested to back the machine\\n'switch' is reporting that it isn't usable on this system.",
      'its provider is missing',
      /^install one/,
    ],
    [
      "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied",
      'libvirt is not for this user',
      /usermod -aG libvirt/,
    ],
    [
      'Volume for domain is already created. Please run',
      'Vagrant does not know',
      /vol-delete macvlab-[0-9a-f]{8}-\$name.img/,
    ],
    ["can't bind ip=127.1.2.3 to socket: Address already in use", 'has the cables’ UDP ports', /ss -lunp/],
    [
      'Timed out while waiting for the machine to boot.',
      'does not come up',
      /virsh -c qemu:\/\/\/system console macvlab-/,
    ],
    ['The specified wait_for timeout (2 seconds) was exceeded', 'does not come up', /MACVLAB_VAGRANT_MEMORY=1024/],
  ];
  for (const [words, means, next] of cases) {
    it(`names what it means, and the next command: ${means}`, () => {
      const error = failure(words);
      expect(error.message).to.contain(means);
      expect(error.next).to.match(next);
      expect(error.evidence).to.contain('$ vagrant up');
    });
  }

  it('is shown once where three machines have the same trouble', () => {
    const of = (machine: string, what: string) =>
      `An error occurred while executing the action on the '${machine}'\nmachine. Please handle this error then try again:\n${what}\n`;
    const { evidence } = failure(of('switch', 'no room') + of('node1', 'no room') + of('node2', 'no air'));
    expect(evidence?.match(/no room/g)).to.have.lengthOf(1);
    expect(evidence).to.contain('node2').and.to.contain('no air');
  });

  it('is shown where nobody knows what it means', () => {
    const error = failure('something new');
    expect(error.message).to.contain('status 1');
    expect(error.evidence).to.contain('something new');
  });
});

describe('a Vagrant that says nothing more', () => {
  const { PATH } = process.env;
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-silence-'));
    process.env['PATH'] = `${folder}${delimiter}${PATH}`;
  });
  after(() => {
    process.env['PATH'] = PATH;
    rmSync(folder, { recursive: true });
  });
  const up = async (script: string) => {
    writeFileSync(join(folder, 'vagrant'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'vagrant'), 0o755);
    return vagrant(['up'], { what: 'bring the machines up', environment: {}, silence: 500 });
  };

  it('is interrupted, and a machine has not come up', async () => {
    const waiting = "trap 'echo cleaning up; exit 0' INT; echo Waiting for an address; while :; do sleep 0.1; done";
    const error: unknown = await up(waiting).catch((caught: unknown) => caught);
    expect(error).to.have.property('message').that.contains('a machine does not come up');
    expect(error).to.have.property('evidence').that.contains('Waiting for an address').and.contains('cleaning up');
  });

  it('is left to its work while it says something', async () => {
    expect(await up('for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.2; done')).to.contain('8');
  });
});
