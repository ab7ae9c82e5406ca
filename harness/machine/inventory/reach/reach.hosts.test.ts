import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { timeout, poll } from '../../../core/wait.js';
import { hostPlaces, type HostName, type Hosts, skipWithoutHosts, startHosts } from '../hosts.test-support.js';
import type { HostAddress } from '../file/machine.js';
import { settledTraces } from '../restore/settled.test-support.js';
import type { Reaching } from './reaching.test-support.js';
import { needs } from '../../../setup/needs.test-support.js';

const program = fileURLToPath(new URL('reaching.test-support.js', import.meta.url));

describe('reaching a real host (needs root)', function reachingHosts() {
  this.timeout(120_000);
  let hosts: Hosts;

  before(async function () {
    skipWithoutHosts(this);
    hosts = await startHosts();
  });
  after(() => hosts?.close());

  function at(name: HostName, more: Partial<HostAddress> = {}): HostAddress {
    const { identity, knownHosts } = hosts.files;
    return { name, host: hostPlaces[name].address, user: 'root', identity, knownHosts, sudo: false, ...more };
  }

  const jump = `root@${hostPlaces.h3.address}`;

  async function reaching(address: HostAddress, env: Record<string, string> = {}): Promise<Reaching> {
    const { stdout, stderr } = await hosts.run(['node', program, JSON.stringify([address])], { env });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Reaching;
  }

  /** The error of a host that must not be reached, after the checks that apply to every such error. */
  async function failing(address: HostAddress) {
    const { error } = await reaching(address);
    if (!error) throw new Error('it was reached');
    expect(error.message).to.include(address.name);
    expect(error.next).not.to.equal('');
    expect(JSON.stringify(error)).not.to.include('PRIVATE KEY');
    return error;
  }

  it('gives root in its own network, and leaves nothing', async () => {
    const before = await settledTraces(hosts, 'h1');
    const reached = await reaching(at('h1'));
    expect(reached.error).to.equal(undefined);
    expect(reached.connection).to.deep.equal({ from: '10.99.0.254', to: '10.99.0.1' });
    const [own, inner] = (reached.inside ?? '').split('--\n');
    expect(own).to.match(/^root\nh1\ninner\nlo:\nmgmt0@.*\neth1@.*\n$/);
    expect(inner).to.equal('root\nh1\ninner\nlo:\n');
    expect(reached.outside).to.match(/^h1\n.*No such file.*\nhello\n$/);
    expect(await settledTraces(hosts, 'h1')).to.equal(before);
  });

  it('leads through another host, whose key is asked for as well', async () => {
    const reached = await reaching(at('h4', { jump }));
    expect(reached.error).to.equal(undefined);
    expect(reached.inside).to.include('root\nh4\n');
    const { code, message } = await failing(at('h4', { jump, knownHosts: hosts.files.noKnownHosts }));
    expect(code).to.equal('HOST_KEY');
    expect(message).to.include(`is behind ${hostPlaces.h3.address}, which`);
  });

  it('leads through several hosts, with files whose names have to be quoted at each', async () => {
    const folder = join(hosts.files.folder, "a b%h's");
    mkdirSync(folder);
    const [identity, knownHosts] = [join(folder, 'id key'), join(folder, 'known hosts')];
    copyFileSync(hosts.files.identity, identity);
    copyFileSync(hosts.files.knownHosts, knownHosts);
    const ways = `root@${hostPlaces.h1.address},root@${hostPlaces.h2.address}:22,${jump}`;
    const reached = await reaching(at('h4', { jump: ways, identity, knownHosts }));
    expect(reached.error).to.equal(undefined);
    expect(reached.inside).to.include('root\nh4\n');
  });

  it('does not let ssh_config soften the checks, or get in the way', async () => {
    await hosts.run(['sh', '-c', 'cat >"$HOME/.ssh/config"'], {
      input:
        'Host *\n  StrictHostKeyChecking no\n  RemoteCommand echo wrong\n  RequestTTY force\n  LocalForward 127.0.0.1:2022 127.0.0.1:22\n  ControlMaster auto\n  ControlPath ~/.ssh/master-%C\n',
    });
    try {
      expect((await reaching(at('h1'))).error).to.equal(undefined);
      expect((await failing(at('h1', { knownHosts: hosts.files.noKnownHosts }))).code).to.equal('HOST_KEY');
    } finally {
      await hosts.run(['sh', '-c', 'rm "$HOME/.ssh/config"']);
    }
  });

  it('takes from ssh_config what the user has said there', async () => {
    const input = `Host first\n  HostName ${hostPlaces.h1.address}\n  User root\n`;
    await hosts.run(['sh', '-c', 'cat >"$HOME/.ssh/config"'], { input });
    try {
      const reached = await reaching({ name: 'h1', host: 'first', sudo: true });
      expect(reached.error).to.equal(undefined);
      expect(reached.inside).to.include('root\nh1\n');
    } finally {
      await hosts.run(['sh', '-c', 'rm "$HOME/.ssh/config"']);
    }
  });

  it('is refused by an unknown key, with its fingerprint and how to check it', async () => {
    const { code, evidence, next } = await failing(at('h1', { knownHosts: hosts.files.noKnownHosts }));
    expect(code).to.equal('HOST_KEY');
    expect(evidence).to.match(/SHA256:[A-Za-z0-9+/]{43}/);
    expect(next).to.include('ssh-keygen -lf').and.to.include(hosts.files.noKnownHosts);
    expect(next).not.to.include('-R');
  });

  it('is refused by a changed key, with how to forget the old one', async () => {
    await hosts.changeHostKey('h2');
    try {
      const { code, evidence, next } = await failing(at('h2'));
      expect(code).to.equal('HOST_KEY');
      expect(evidence).to.match(/SHA256:[A-Za-z0-9+/]{43}/);
      expect(next).to.include(`ssh-keygen -f ${hosts.files.knownHosts} -R ${hostPlaces.h2.address}`);
    } finally {
      hosts.trustHosts();
    }
  });

  for (const [what, code, more, words] of [
    ['a wrong key', 'HOST_REFUSED', () => ({ identity: hosts.files.wrongIdentity }), /does not let root@/],
    ['a key that is not there', 'HOST_REFUSED', () => ({ identity: '/no/such/key' }), /cannot be read/],
    ['a wrong user', 'HOST_REFUSED', () => ({ user: 'nobody' }), /does not let nobody@/],
    ['a user who is not root', 'HOST_SUDO', () => ({ user: 'ops' }), /not to use sudo/],
    ['a port where nobody listens', 'HOST_UNREACHABLE', () => ({ port: 2222 }), /refuses connections.* port 2222/],
    ['a name that there is not', 'HOST_UNREACHABLE', () => ({ host: 'no.such.host.invalid' }), /no address for/],
    ['an address without a route', 'HOST_UNREACHABLE', () => ({ host: '203.0.113.1' }), /unreachable/],
    ['a way that ends too early', 'HOST_UNREACHABLE', () => ({ jump, port: 44 }), /not reached from root@/],
    ['a way that is closed', 'HOST_UNREACHABLE', () => ({ jump: `${jump}:99` }), /refuses connections.* port 99/],
  ] as const) {
    it(`tells of ${what}`, async () => {
      const error = await failing(at('h1', more()));
      expect(error.code, error.message).to.equal(code);
      expect(error.message).to.match(words);
    });
  }

  it('becomes root by sudo, or tells why not', async function withSudo() {
    needs(this, 'sudo');
    const ops = at('h2', { user: 'ops', sudo: true });
    expect((await reaching(ops)).inside).to.include('root\nh2\n');
    await hosts.setSudo('h2', 'with password');
    const password = await failing(ops);
    expect(password.code).to.equal('HOST_SUDO');
    expect(password.message).to.include('asks for a password');
    await hosts.setSudo('h2', 'nothing');
    expect((await failing(ops)).code).to.equal('HOST_SUDO');
    await hosts.setSudo('h2', 'without password');
  });

  it('tells what a host lacks, and how to get it', async () => {
    // Hides the program on this host only.
    const hidden = (await hosts.onHost('h2', ['sh', '-c', 'command -v tcpdump'])).trim();
    await hosts.onHost('h2', ['mount', '--bind', '/dev/null', hidden]);
    try {
      const { code, message, next } = await failing(at('h2'));
      expect(code).to.equal('HOST_LACKS');
      expect(message).to.match(/lacks tcpdump$/);
      expect(next).to.match(/install.*tcpdump/);
    } finally {
      await hosts.onHost('h2', ['umount', hidden]);
    }
  });

  for (const [what, lose] of [
    ['its connections are ended', () => hosts.dropConnections('h1')],
    ['its network is gone', () => Promise.resolve(hosts.setManagement('h1', false))],
  ] as const) {
    it(`tells that a host was lost when ${what}, and the host takes the lab down`, async () => {
      const before = await settledTraces(hosts, 'h1');
      // With a smaller timeout factor, macvlab detects the loss in seconds. The host's own timeout is ten times the
      // interval of the signs of life.
      const env = { MACVLAB_TIMEOUT_FACTOR: '0.1' };
      const staying = hosts.start(['node', program, JSON.stringify([at('h1')]), 'stay'], { env });
      await staying.said('staying');
      await lose();
      const { stdout } = await staying.ended;
      const { error } = JSON.parse(stdout.split('\n')[1] ?? '') as Reaching;
      expect(error?.code).to.equal('HOST_LOST');
      expect(error?.next).to.include('macvlab gc --lab inventory');
      hosts.setManagement('h1', true);
      await poll(async () => (await hosts.traces('h1')) === before || undefined, {
        what: 'the host to take the lab down',
        deadline: timeout(60_000),
      });
    });
  }

  it('ends with the process that has reached it, however that ends', async () => {
    const before = await settledTraces(hosts, 'h1');
    const staying = hosts.start(['node', program, JSON.stringify([at('h1')]), 'stay']);
    await staying.said('staying');
    staying.kill('SIGKILL');
    await staying.ended;
    await poll(async () => (await hosts.traces('h1')) === before || undefined, {
      what: 'the host to take the lab down',
      deadline: timeout(60_000),
    });
  });
});
