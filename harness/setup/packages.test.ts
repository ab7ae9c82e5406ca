import { expect } from 'chai';
import { FakeMachine } from './fake-machine.test-support.js';
import { installCommand, planInstallation } from './packages.mjs';
import { guestTools, missingGuestTools, requiredTools } from './tools.mjs';

const everything = requiredTools.map(({ name }) => name);

describe('the command that installs missing programs', () => {
  const managers = {
    'apt-get': ['iproute2', 'iputils-arping', 'iputils-ping', 'mount', 'openssh-server', 'tcpdump', 'util-linux'],
    dnf: ['iproute', 'iputils', 'openssh-server', 'tcpdump', 'util-linux'],
    apk: ['iproute2', 'iputils', 'openssh-server', 'tcpdump', 'util-linux'],
    pacman: ['iproute2', 'iputils', 'openssh', 'tcpdump', 'util-linux'],
  };
  for (const [manager, packages] of Object.entries(managers)) {
    it(`names ${manager}'s packages, each once`, () => {
      using fake = new FakeMachine();
      fake.have(manager);
      expect(planInstallation(everything, fake.machine)).to.deep.include({ manager, packages, permitted: true });
    });
  }

  const forGuests = {
    'apt-get': ['apt', 'dpkg', 'kmod', 'qemu-system-x86', 'squashfs-tools', 'util-linux', 'xz-utils'],
    dnf: ['apt', 'dpkg', 'kmod', 'qemu-system-x86-core', 'squashfs-tools', 'util-linux', 'xz'],
    apk: ['apt', 'dpkg', 'kmod', 'qemu-system-x86_64', 'squashfs-tools', 'util-linux', 'xz'],
    pacman: ['apt', 'dpkg', 'kmod', 'qemu-system-x86', 'squashfs-tools', 'util-linux', 'xz'],
  };
  for (const [manager, packages] of Object.entries(forGuests)) {
    it(`names ${manager}'s packages for guests`, () => {
      using fake = new FakeMachine();
      fake.have(manager);
      const names = guestTools.map(({ name }) => name);
      expect(planInstallation(names, fake.machine)).to.deep.include({ manager, packages });
    });
  }

  it('asks for what guests need apart from what every lab needs', () => {
    using fake = new FakeMachine();
    fake.have('mksquashfs', ...requiredTools.map(({ name }) => name));
    const missing = missingGuestTools(fake.machine).map(({ name }) => name);
    expect(missing).to.include('qemu-system-x86_64').and.not.include('mksquashfs');
    fake.have(...missing);
    expect(missingGuestTools(fake.machine)).to.deep.equal([]);
  });

  it('names only what is missing', () => {
    using fake = new FakeMachine();
    fake.have('apk');
    expect(installCommand(['tcpdump'], fake.machine)).to.equal('apk add tcpdump');
  });

  it('asks for the package lists first where apt has none', () => {
    using fake = new FakeMachine();
    fake.have('apt-get');
    const apt = 'env DEBIAN_FRONTEND=noninteractive apt-get';
    const install = `${apt} -o DPkg::Lock::Timeout=300 install -y --no-install-recommends tcpdump`;
    expect(installCommand(['tcpdump'], fake.machine)).to.equal(`${apt} update && ${install}`);
    fake.write('var/lib/apt/lists/debian_dists_bookworm_main_binary-amd64_Packages.lz4', '');
    expect(installCommand(['tcpdump'], fake.machine)).to.equal(install);
  });

  it('uses sudo where we are not root, and is not permitted where there is none', () => {
    using fake = new FakeMachine({ root: false });
    fake.have('dnf');
    expect(planInstallation(['tcpdump'], fake.machine)?.permitted).to.equal(false);
    fake.have('sudo');
    const plan = planInstallation(['tcpdump'], fake.machine);
    expect(plan?.permitted).to.equal(true);
    expect(plan?.line).to.match(/^sudo dnf install -y .*tcpdump$/);
  });

  it('is that of the distribution, where apt is there as well to fetch kernels', () => {
    using fake = new FakeMachine();
    fake.have('apt-get', 'dnf');
    expect(planInstallation(['tcpdump'], fake.machine)?.manager).to.equal('dnf');
    fake.write('var/lib/dpkg/info/base-files.list', '');
    expect(planInstallation(['tcpdump'], fake.machine)?.manager).to.equal('apt-get');
  });

  it('is unknown where there is no package manager that we know', () => {
    using fake = new FakeMachine();
    expect(installCommand(['tcpdump'], fake.machine)).to.equal(undefined);
  });
});
