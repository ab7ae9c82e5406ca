import { expect } from 'chai';
import { readable, vagrantFailure } from './vagrant-program.js';

const failure = (words: string) => vagrantFailure('bring the machines up', ['up'], words, 1);

describe('what Vagrant says', () => {
  it('is read without its progress bars', () => {
    const words = '==> node1: Uploading\n\u001b[KProgress: 0%\r\u001b[KProgress: 100%\r\u001b[K==> node1: Creating\n';
    expect(readable(words)).to.equal('==> node1: Uploading\n==> node1: Creating');
  });

  it('brings a refusal of the Vagrantfile with its own next step', () => {
    const error = failure(
      'macvlab: the box has not been made\n  next: npx macvlab lab prepare --lab vagrant   (or choose another)\n',
    );
    expect(error.message).to.equal('the box has not been made');
    expect(error.next).to.match(/^npx macvlab lab prepare --lab vagrant/);
  });

  const cases: [string, string, RegExp][] = [
    [
      "The provider 'libvirt' could not be found, but was requested to\nback the machine",
      'no such provider',
      /vagrant-libvirt/,
    ],
    [
      'Error while connecting to Libvirt: Call to virConnectOpen failed: Failed to connect socket',
      'libvirt does not',
      /systemctl/,
    ],
    ['Name `macvlab-1-node1` of domain about to create is already taken. Please try to run', 'earlier run', /virsh/],
    [
      "Box 'debian/bookworm64' could not be found. Attempting to find\nThe box 'debian/bookworm64' could not be found or\ncould not be accessed",
      'box is missing',
      /lab prepare --lab vagrant/,
    ],
    ['Timed out while waiting for the machine to boot.', 'does not come up', /vagrant destroy -f/],
  ];
  for (const [words, means, next] of cases) {
    it(`names what it means, and the next command: ${means}`, () => {
      const error = failure(words);
      expect(error.message).to.contain(means);
      expect(error.next).to.match(next);
      expect(error.evidence).to.contain('$ vagrant up');
    });
  }

  it('is shown where nobody knows what it means', () => {
    const error = failure('something new');
    expect(error.message).to.contain('status 1');
    expect(error.evidence).to.contain('something new');
  });
});
