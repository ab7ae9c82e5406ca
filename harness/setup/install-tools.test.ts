import { expect } from 'chai';
import { FakeMachine } from './fake-machine.test-support.js';
import { installTools } from './install-tools.mjs';
import { SetupError } from './report.mjs';
import { requiredTools } from './tools.mjs';

const everything = requiredTools.map(({ name }) => name);
const allBut = (...missing: string[]) => everything.filter((name) => !missing.includes(name));
const mayInstall = { mayInstall: true };

/** A package manager's script that installs programs by copying one that is there. */
const installs = (...names: string[]) => names.map((name) => `cp "$BIN/ip" "$BIN/${name}"`).join('\n');

describe('installing missing programs', () => {
  it('does nothing where none is missing', () => {
    using fake = new FakeMachine();
    fake.have(...everything, 'apk');
    installTools(fake.machine, mayInstall);
    expect(fake.calls).to.deep.equal([]);
  });

  it('installs what is missing', () => {
    using fake = new FakeMachine();
    fake.have(...allBut('tcpdump', 'ping'));
    fake.script('apk', installs('tcpdump', 'ping'));
    installTools(fake.machine, mayInstall);
    expect(fake.calls).to.deep.equal(['apk add iputils tcpdump']);
  });

  it('goes through sudo where we are not root', () => {
    using fake = new FakeMachine({ root: false });
    fake.have(...allBut('tcpdump'));
    fake.script('dnf', installs('tcpdump'));
    fake.script('sudo', 'exec "$@"');
    installTools(fake.machine, mayInstall);
    expect(fake.calls[0]).to.match(/^sudo dnf install -y/);
    expect(fake.calls).to.have.length(2);
  });

  it('tries once more with fresh package lists when the first attempt fails', () => {
    using fake = new FakeMachine();
    fake.have(...allBut('tcpdump'));
    fake.script(
      'apk',
      `[ "$1" = update ] && touch "$BIN/fresh"\n[ -e "$BIN/fresh" ] || exit 1\n${installs('tcpdump')}`,
    );
    installTools(fake.machine, mayInstall);
    expect(fake.calls).to.deep.equal(['apk add tcpdump', 'apk update', 'apk add tcpdump']);
  });

  it('fails with the command to run when installing fails', () => {
    using fake = new FakeMachine();
    fake.have(...allBut('tcpdump'));
    fake.script('pacman', 'exit 7');
    const error = failureOf(fake);
    expect(error.message).to.equal('installing tcpdump failed: exit status 7');
    expect(error.next).to.match(/run as root: pacman -S .*tcpdump$/);
  });

  it('fails when the package was installed and the program is still not there', () => {
    using fake = new FakeMachine();
    fake.have(...allBut('arping'), 'apk');
    expect(failureOf(fake).message).to.equal('still missing after installing iputils: arping');
  });

  it('only says what it would do when it may not install, or cannot become root', () => {
    using fake = new FakeMachine();
    fake.have(...allBut('tcpdump'), 'apk');
    expect(failureOf(fake, false).next).to.equal('run as root: apk add tcpdump');
    using user = new FakeMachine({ root: false });
    user.have(...allBut('tcpdump'), 'apk');
    expect(failureOf(user).next).to.equal('run as root: apk add tcpdump');
    expect([...fake.calls, ...user.calls]).to.deep.equal([]);
  });

  it("stops the service that Debian's openssh-server starts, only if we installed it and systemd runs", () => {
    const install = (missing: string, systemd: boolean) => {
      using fake = new FakeMachine();
      fake.have(...allBut(missing), 'systemctl');
      fake.write('var/lib/apt/lists/main_Packages', '');
      if (systemd) fake.write('run/systemd/system/unit', '');
      fake.script('env', 'shift\nexec "$@"');
      fake.script('apt-get', installs(missing));
      installTools(fake.machine, mayInstall);
      return fake.calls.filter((call) => call.startsWith('systemctl'));
    };
    expect(install('sshd', true)).to.deep.equal(['systemctl disable --now ssh.service ssh.socket']);
    expect(install('sshd', false)).to.deep.equal([]);
    expect(install('tcpdump', true)).to.deep.equal([]);
  });
});

function failureOf({ machine }: FakeMachine, may = true): SetupError {
  try {
    installTools(machine, { mayInstall: may });
  } catch (error) {
    if (error instanceof SetupError) return error;
    throw error;
  }
  throw new Error('installing did not fail');
}
