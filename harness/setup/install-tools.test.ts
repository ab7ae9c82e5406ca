import { expect } from 'chai';
import { FakeMachine } from './fake-machine.test-support.js';
import { installTools } from './install-tools.mjs';
import { Progress } from './progress.mjs';
import { attempt, type SetupError } from './report.mjs';
import { requiredTools } from './tools.mjs';

const everything = requiredTools.map(({ name }) => name);
const allBut = (...missing: string[]) => everything.filter((name) => !missing.includes(name));
/** Options with a task that shows what an installation does. */
const told = () => ({ task: new Progress({ inPlace: false }).task('programs') });

/** A package manager's script that installs programs by copying an existing one. */
const installs = (...names: string[]) => names.map((name) => `cp "$BIN/ip" "$BIN/${name}"`).join('\n');

describe('installing missing programs', () => {
  it('does nothing where none is missing', async () => {
    using fake = new FakeMachine();
    fake.have(...everything, 'apk');
    await installTools(fake.machine, told());
    expect(fake.calls).to.deep.equal([]);
  });

  it('installs what is missing', async () => {
    using fake = new FakeMachine();
    fake.have(...allBut('tcpdump', 'ping'));
    fake.script('apk', installs('tcpdump', 'ping'));
    await installTools(fake.machine, told());
    expect(fake.calls).to.deep.equal(['apk add iputils tcpdump']);
  });

  it('goes through sudo where we are not root', async () => {
    using fake = new FakeMachine({ root: false });
    fake.have(...allBut('tcpdump'));
    fake.script('dnf', installs('tcpdump'));
    fake.script('sudo', '[ "$1" = -n ] && shift && exec "$@"');
    await installTools(fake.machine, told());
    expect(fake.calls[0]).to.match(/^sudo -n dnf install -y/);
    expect(fake.calls).to.have.length(2);
  });

  it('tries once more with fresh package lists when the first attempt fails', async () => {
    using fake = new FakeMachine();
    fake.have(...allBut('tcpdump'));
    fake.script(
      'apk',
      `[ "$1" = update ] && touch "$BIN/fresh"\n[ -e "$BIN/fresh" ] || exit 1\n${installs('tcpdump')}`,
    );
    await installTools(fake.machine, told());
    expect(fake.calls).to.deep.equal(['apk add tcpdump', 'apk update', 'apk add tcpdump']);
  });

  it('fails with the command to run when installing fails', async () => {
    using fake = new FakeMachine();
    fake.have(...allBut('tcpdump'));
    fake.script('pacman', 'exit 7');
    const error = await failureOf(fake);
    expect(error.message).to.equal('installing tcpdump failed: exit status 7');
    expect(error.next).to.match(/run as root: pacman -S .*tcpdump$/);
  });

  it('fails when the package was installed and the program is still not there', async () => {
    using fake = new FakeMachine();
    fake.have(...allBut('arping'), 'apk');
    expect((await failureOf(fake)).message).to.equal('still missing after installing iputils: arping');
  });

  it('says what to run when it cannot become root', async () => {
    using user = new FakeMachine({ root: false });
    user.have(...allBut('tcpdump'), 'apk');
    expect((await failureOf(user)).next).to.equal('run as root: apk add tcpdump');
    expect(user.calls).to.deep.equal([]);
  });

  it('completes an installation that was interrupted, at first', async () => {
    using fake = new FakeMachine();
    fake.have(...allBut('tcpdump'), 'dpkg');
    fake.write('var/lib/apt/lists/main_Packages', '');
    fake.write('var/lib/dpkg/info/base-files.list', '');
    fake.write('var/lib/dpkg/updates/0001', '');
    fake.script('env', 'shift\nexec "$@"');
    fake.script('apt-get', installs('tcpdump'));
    await installTools(fake.machine, told());
    const calls = fake.calls.filter((call) => !call.startsWith('env'));
    expect(calls.map((call) => call.split(' ')[0])).to.deep.equal(['dpkg', 'apt-get']);
  });

  it("stops the service that Debian's openssh-server starts, only if we installed it and systemd runs", async () => {
    const install = async (missing: string, systemd: boolean) => {
      using fake = new FakeMachine();
      fake.have(...allBut(missing), 'systemctl');
      fake.write('var/lib/apt/lists/main_Packages', '');
      if (systemd) fake.write('run/systemd/system/unit', '');
      fake.script('env', 'shift\nexec "$@"');
      fake.script('apt-get', installs(missing));
      await installTools(fake.machine, told());
      return fake.calls.filter((call) => call.startsWith('systemctl'));
    };
    expect(await install('sshd', true)).to.deep.equal(['systemctl disable --now ssh.service ssh.socket']);
    expect(await install('sshd', false)).to.deep.equal([]);
    expect(await install('tcpdump', true)).to.deep.equal([]);
  });
});

async function failureOf({ machine }: FakeMachine): Promise<SetupError> {
  const [error] = await attempt(() => installTools(machine, told()));
  return error ?? expect.fail('installing did not fail');
}
