import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { main } from '../../cli/command-line.test-support.js';
import { timeout, poll } from '../../core/wait.js';
import {
  type Ended,
  type HostName,
  type Hosts,
  type RunOptions,
  type Running,
  skipWithoutHosts,
  startHosts,
} from './hosts.test-support.js';
import { asBefore, settledTraces } from './restore/settled.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

const all = ['h1', 'h2', 'h3', 'switch'] as const satisfies readonly HostName[];

const none = () => undefined;

describe('what goes wrong with real hosts (needs root, sshd)', function badInput() {
  this.timeout(240_000);
  let hosts: Hosts;
  let untouched: string;

  before(async function () {
    skipWithoutHosts(this);
    hosts = await startHosts();
    untouched = await traces();
  });
  after(() => hosts?.close());
  afterEach('nothing is left on the hosts', async () => {
    await asBefore(untouched, traces, 60_000);
    expect(journals()).to.be.empty;
  });

  async function traces(): Promise<string> {
    const each = all.map(async (name) => `${name}\n${await settledTraces(hosts, name)}`);
    return (await Promise.all(each)).join('\n');
  }

  function journals(): string[] {
    try {
      return readdirSync(join(hosts.files.folder, 'state', 'inventory'));
    } catch {
      return [];
    }
  }

  function start(file: string, words: readonly string[], options: RunOptions = {}): Running {
    const argv = ['run', '--reporter', 'lines', '--lab', 'inventory', '--inventory', file, ...words];
    return hosts.start([process.execPath, main, ...argv], { cwd: hosts.files.folder, ...options });
  }

  /** An inventory with another entry for node1. */
  function inventory(node1: Record<string, unknown> = {}, more: Record<string, unknown> = {}): string {
    const machines = {
      node1: hosts.machine('h1', node1),
      node2: hosts.machine('h2'),
      router: hosts.machine('h3'),
    };
    return hosts.inventory({}, { machines, switch: { hairpin: { node1: 'off', node2: 'off' } }, ...more });
  }

  const gc = () => hosts.run([process.execPath, main, 'gc', '--lab', 'inventory']);

  /** A wrong input: how to cause and revert it, and the expected exit status and output. */
  interface Case {
    file: () => string;
    wrong?: () => unknown;
    right?: () => unknown;
    status: number;
    says: readonly (string | RegExp)[];
  }

  const cases: Record<string, Case> = {
    'a wrong key': {
      file: () => inventory({ identity: hosts.files.wrongIdentity }),
      status: 3,
      says: [/^HOST_REFUSED: .*node1.*root@10\.99\.0\.1/m],
    },
    'an unknown host key': {
      file: () => inventory({ 'known-hosts': hosts.files.noKnownHosts }),
      status: 3,
      says: [/^HOST_KEY: .*node1/m, /SHA256:[A-Za-z0-9+/]{43}/],
    },
    'a changed host key': {
      file: () => inventory(),
      wrong: () => hosts.changeHostKey('h1'),
      right: () => hosts.trustHosts(),
      status: 3,
      says: [/^HOST_KEY: .*node1.*another/m, /ssh-keygen .*-R 10\.99\.0\.1/],
    },
    'no such NIC': { file: () => inventory({ nic: 'eth9' }), status: 3, says: [/^HOST_NIC: .*eth9/m, 'mgmt0, eth1'] },
    'a NIC that is down': {
      file: () => inventory(),
      wrong: () => hosts.onHost('h1', ['ip', 'link', 'set', 'eth1', 'down']),
      right: () => hosts.onHost('h1', ['ip', 'link', 'set', 'eth1', 'up']),
      status: 3,
      says: [/^HOST_NIC: eth1 of node1 is down/m, /next: .*ip link set .*eth1 up/],
    },
    'a NIC whose cable is not plugged in': {
      file: () => inventory(),
      wrong: () => hosts.onSwitch(['ip', 'link', 'set', 'h1', 'down']),
      right: () => hosts.onSwitch(['ip', 'link', 'set', 'h1', 'up']),
      status: 3,
      says: [/^HOST_NIC: eth1 of node1 .*carrier/m],
    },
    'a host that does not answer': {
      file: () => inventory({ host: '10.99.0.77' }),
      status: 3,
      says: [/^HOST_UNREACHABLE: .*node1.*10\.99\.0\.77/m],
    },
    'no addresses': {
      file: () => inventory({}, { addresses: [] }),
      status: 2,
      says: [/^USAGE: .*line \d+: addresses/m],
    },
  };

  for (const [what, { file, wrong, right, status, says }] of Object.entries(cases)) {
    it(`is told of ${what}, with the next step`, async () => {
      await wrong?.();
      try {
        const ended = await start(file(), ['A1.4']).ended;
        const said = `${ended.stdout}${ended.stderr}`;
        expect(ended.status, said).to.equal(status);
        for (const each of says) expect(said, said).to.match(each instanceof RegExp ? each : new RegExp(each));
        expect(said, said).to.match(/^ {2}next: .+/m);
        expectNoSecrets(said);
      } finally {
        await right?.();
      }
    });
  }

  it('is told of a user who may not become root', async function withSudo() {
    needs(this, 'sudo');
    for (const may of ['with password', 'nothing'] as const) {
      await hosts.setSudo('h1', may);
      const { status, stdout, stderr } = await start(inventory({ user: 'ops', sudo: true }), ['A1.4']).ended;
      expect(status).to.equal(3);
      expect(`${stdout}${stderr}`).to.match(/^HOST_SUDO: .*node1[^]*next: .*(sudoers|NOPASSWD)/m);
    }
    await hosts.setSudo('h1', 'without password');
    const { status, stdout, stderr } = await start(inventory({ user: 'ops', sudo: true }), ['A1.1']).ended;
    expect(status, `${stdout}${stderr}`).to.equal(0);
  });

  it('leaves out what needs an address that somebody has', async () => {
    await hosts.onHost('h4', ['ip', 'address', 'add', '10.211.55.18/24', 'dev', 'eth1']);
    try {
      const { status, stdout, stderr } = await start(inventory(), ['A1.4']).ended;
      const said = `${stdout}${stderr}`;
      expect(said, said).to.contain('10.211.55.18').and.to.contain('00:16:3e:00:01:04');
      expect(said).not.to.match(/[1-9]\d* passed/);
      expect(status, said).to.be.oneOf([0, 3]);
    } finally {
      await hosts.onHost('h4', ['ip', 'address', 'flush', 'dev', 'eth1', 'scope', 'global']);
    }
  });

  /** Waits until a run has changed a host's own network. */
  async function changed(run: Running): Promise<void> {
    const folder = join(hosts.files.folder, 'state', 'inventory');
    let over = false;
    void run.ended.then(() => (over = true));
    const due = () => {
      if (over) throw new Error(`it has ended: ${run.stdout()}${run.stderr()}`);
      return journals().some((name) => {
        const text = readFileSync(join(folder, name), 'utf8');
        return text.split('"undo":').length > text.split('"undone":').length;
      });
    };
    await poll(() => Promise.resolve(due() || undefined), {
      what: 'the run to change something',
      deadline: timeout(60_000),
      evidence: () => `${run.stdout()}${run.stderr()}`,
    });
  }

  it('has the connection lost in the middle: all is taken back over a new one', async () => {
    const run = start(inventory(), ['A4']);
    await changed(run);
    await hosts.dropConnections('h1');
    const { status, stdout, stderr } = await run.ended;
    const said = `${stdout}${stderr}`;
    expect(status, said).to.equal(3);
    expect(said, said).to.contain('the lab is gone: the connection with node1 (root@10.99.0.1) was lost');
    expect((await gc()).stdout).to.equal('nothing was left behind\n');
  });

  it('has a host gone in the middle: gc takes it back when it answers again', async () => {
    // With a smaller timeout factor, macvlab detects the loss in seconds.
    const run = start(inventory(), ['A4'], { env: { MACVLAB_TIMEOUT_FACTOR: '0.25' } });
    await changed(run);
    hosts.setManagement('h1', false);
    const { status, stdout, stderr } = await run.ended;
    hosts.setManagement('h1', true);
    const said = `${stdout}${stderr}`;
    expect(status, said).to.equal(3);
    expect(said, said).to.match(/next: .*macvlab gc --lab inventory/);
    const cleared = await gc();
    expect(cleared, cleared.stderr).to.include({ status: 0 });
    expect(cleared.stdout).to.match(/^node1: \d+ changes? of a run that is gone (is|are) taken back/);
  });

  it('is killed in the middle: gc takes it back', async () => {
    const run = start(inventory(), ['A4']);
    await changed(run);
    run.kill('SIGKILL');
    await run.ended;
    const cleared = await gc();
    expect(cleared, cleared.stderr).to.include({ status: 0 });
    expect(cleared.stdout).to.match(/taken back/);
  });

  it('is interrupted in the middle: it takes all back itself', async () => {
    const run = start(inventory(), ['A4']);
    await changed(run);
    run.kill('SIGINT');
    const { status, stdout, stderr } = await run.ended;
    expect(status, `${stdout}${stderr}`).to.equal(130);
  });

  it('keeps keys out of everything that is written', async () => {
    const { status, stdout, stderr } = await start(inventory(), ['A1.1', '--out', 'records']).ended;
    expect(status, `${stdout}${stderr}`).to.equal(0);
    const folder = join(hosts.files.folder, 'records');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
    const written = files.filter((file) => statSync(file).isFile());
    expect(written).not.to.be.empty;
    for (const file of written) expectNoSecrets(readFileSync(file, 'latin1'));
  });

  /** Expects no part of any private key: neither its frame nor any of its lines. */
  function expectNoSecrets(text: string): void {
    const keys = [hosts.files.identity, hosts.files.wrongIdentity].map((file) => readFileSync(file, 'utf8'));
    // The first line of every such key is the same, so it is no secret.
    const lines = keys.flatMap((key) =>
      key
        .split('\n')
        .filter((line) => line.length > 30)
        .slice(2),
    );
    for (const secret of ['PRIVATE KEY', ...lines]) expect(text).not.to.contain(secret);
  }

  describe('asked by validate-switch', () => {
    before(() => hosts.onHost('h3', ['ip', 'address', 'add', '10.0.0.1/24', 'dev', 'eth1']));
    // The hosts as they must be after each of these tests.
    before(async () => (untouched = await traces()));
    after(async () => {
      await hosts.onHost('h3', ['ip', 'address', 'flush', 'dev', 'eth1', 'scope', 'global']);
      untouched = await traces();
    });

    function validate(...words: string[]): Promise<Ended> {
      const range = ['--addresses', '10.0.0.32/27', '--gateway', '10.0.0.1', '--forward-delay', '0'];
      const argv = ['validate-switch', '--host', 'root@10.99.0.1', '--nic', 'eth1', ...range, ...words];
      return hosts.run([process.execPath, main, ...argv], { cwd: hosts.files.folder });
    }

    const wrong: Record<string, [wrong: () => unknown, right: () => unknown, words: () => string[], says: RegExp]> = {
      'a wrong key': [none, none, () => ['--identity', hosts.files.wrongIdentity], /^HOST_REFUSED: /m],
      'an unknown host key': [none, none, () => ['--known-hosts', hosts.files.noKnownHosts], /^HOST_KEY: /m],
      'a changed host key': [
        () => hosts.changeHostKey('h1'),
        () => hosts.trustHosts(),
        () => [],
        /^HOST_KEY: .*another/m,
      ],
      'a NIC that is down': [
        () => hosts.onHost('h1', ['ip', 'link', 'set', 'eth1', 'down']),
        () => hosts.onHost('h1', ['ip', 'link', 'set', 'eth1', 'up']),
        () => [],
        /^HOST_NIC: eth1 of 10\.99\.0\.1 is down/m,
      ],
      'a peer that does not answer': [
        none,
        none,
        () => ['--peer', 'root@10.99.0.77:eth1'],
        /^HOST_UNREACHABLE: .*10\.99\.0\.77/m,
      ],
      'a peer without such a NIC': [
        none,
        none,
        () => ['--peer', 'root@10.99.0.2:eth5'],
        /^HOST_NIC: 10\.99\.0\.2 .*eth5/m,
      ],
      'a NIC that another lab has': [
        async () => {
          holder = hosts.start(hosts.ssh('h1', ['flock -n /sys/class/net/eth1/ifindex sh -c "echo held; exec cat"']), {
            input: null,
          });
          await holder.said('held');
        },
        async () => {
          await hosts.dropConnections('h1');
          await holder?.ended;
        },
        () => [],
        /^HOST_NIC: eth1 of 10\.99\.0\.1 is in use by another lab/m,
      ],
    };
    let holder: Running | undefined;

    for (const [what, [make, mend, words, says]] of Object.entries(wrong)) {
      it(`is told of ${what}, with the next step`, async () => {
        await make();
        try {
          const { status, stdout, stderr } = await validate(...words());
          expect(stderr, stderr)
            .to.match(says)
            .and.to.match(/^ {2}next: .+/m);
          expect([status, stdout]).to.deep.equal([3, '']);
          expectNoSecrets(stderr);
        } finally {
          await mend();
        }
      });
    }

    it('cannot tell with a peer on another segment, and says so', async () => {
      await hosts.onSwitch([
        'sh',
        '-c',
        'ip link add br1 type bridge && ip link set br1 up && ip link set h2 master br1',
      ]);
      try {
        const { status, stdout, stderr } = await validate('--peer', 'root@10.99.0.2:eth1');
        expect(stdout, stderr).to.match(/peer|10\.99\.0\.2/);
        expect(stdout, stderr).to.match(/segment|arrives/);
        expect(status, stdout).to.be.oneOf([1, 3]);
      } finally {
        await hosts.onSwitch(['sh', '-c', 'ip link set h2 master br0 && ip link delete br1']);
      }
    });
  });

  describe('when the card that is taken down is the way to the host', () => {
    it('has A4.8 performed, and the host bring it back in A4.9, which was performed in vain', async () => {
      const host = await hosts.reachOverWire('h1');
      await hosts.onHost('h1', ['ip', 'route', 'add', 'default', 'via', '10.98.0.254']);
      const before = await settledTraces(hosts, 'h1');
      hosts.setManagement('h1', false);
      try {
        const file = inventory({ host });
        const { status, stdout, stderr } = (await start(file, ['A4.8', 'A4.9', '--allow-disconnect'])
          .ended) satisfies Ended;
        const said = `${stdout}${stderr}`;
        expect(status, said).to.equal(3);
        expect(said, said)
          .to.match(/^ok A4\.8 /m)
          .and.to.match(/^ERROR A4\.9 /m);
        expect(said, said).to.contain('node1 was cut off when its eth1 went down, and has brought it back');
        expect(said).not.to.contain('LAB_DAMAGED');
      } finally {
        hosts.setManagement('h1', true);
        expect(await settledTraces(hosts, 'h1')).to.equal(before);
        await hosts.onHost('h1', ['ip', 'address', 'flush', 'dev', 'eth1', 'scope', 'global']);
        await hosts.onSwitch(['ip', 'link', 'delete', 'admin']);
      }
    });
  });
});
