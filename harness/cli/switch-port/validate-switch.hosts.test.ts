import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type SideBySide, sideBySide } from '../../setup/side-by-side.test-support.js';
import {
  type Ended,
  type Hosts,
  macOf as hostMac,
  skipWithoutHosts,
  startHosts,
} from '../../machine/inventory/hosts.test-support.js';
import { settledTraces } from '../../machine/inventory/restore/settled.test-support.js';
import type { PortReport } from '../../report/switch-port/record.js';
import { switchStates } from '../../switch-port/switch-states.test-support.js';

const cli = fileURLToPath(new URL('../main.js', import.meta.url));

/** Most of the time, a test waits for requests without a reply. */
const atOnce = 4;

describe('macvlab validate-switch on hosts (needs root)', function onHosts() {
  // The last test to begin waits for all others.
  this.timeout(600_000);

  before(function needsHosts() {
    skipWithoutHosts(this);
  });

  const tests: SideBySide[] = [];
  /** A test with hosts of its own. */
  function test(
    title: string,
    work: (hosts: Hosts) => Promise<void>,
    more: Pick<SideBySide, 'long' | 'needs'> = {},
  ): void {
    const run = async () => {
      await using hosts = await startHosts();
      await hosts.onHost('h3', ['ip', 'address', 'add', '10.0.0.1/24', 'dev', 'eth1']);
      await work(hosts);
    };
    tests.push({ title, ...more, run });
  }

  const addresses = ['--addresses', '10.0.0.32/27'];
  const common = [...addresses, '--gateway', '10.0.0.1', '--forward-delay', '0'];

  async function validate(hosts: Hosts, ...argv: string[]): Promise<Ended> {
    const words = [...argv, '--identity', hosts.files.identity];
    return hosts.run(['node', cli, 'validate-switch', ...words], { cwd: hosts.files.folder });
  }
  const lastLine = ({ stdout }: Ended) => stdout.trimEnd().split('\n').at(-1);

  test(
    'answers on the last line, with an exit code, a report, JUnit and frames; and leaves nothing',
    async (hosts) => {
      const before = await settledTraces(hosts, 'h1');
      const plain = await validate(hosts, '--host', 'root@10.99.0.1', '--nic', 'eth1', ...common);
      expect([lastLine(plain), plain.status], plain.stderr).to.deep.equal(['does not reflect', 1]);
      await hosts.onSwitch(['bridge', 'link', 'set', 'dev', 'h1', 'hairpin', 'on']);
      const files = ['--json', 'r.json', '--junit', 'deep/r.xml'];
      const reflecting = await validate(hosts, '--host', 'ops@10.99.0.1', '--nic', 'eth1', ...common, ...files);
      expect([lastLine(reflecting), reflecting.status], reflecting.stderr).to.deep.equal(['reflects', 0]);
      expect(await settledTraces(hosts, 'h1')).to.equal(before);
      const { folder } = hosts.files;
      const report = JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8')) as PortReport;
      expect(report).to.include({ schema: 1, answer: 'reflects', exit: 0, host: '10.99.0.1', nic: 'eth1' });
      expect(report.segments.map(({ vlan, words }) => [vlan, words])).to.deep.equal([['untagged', 'reflects']]);
      expect(report.frames).to.be.within(20, 60);
      expect(readFileSync(join(folder, 'deep/r.xml'), 'utf8'))
        .to.contain('<testcase')
        .and.not.to.contain('<failure');
      const own = join(folder, 'reports', 'latest-switch');
      expect(readdirSync(own)).to.include.members(['report.json', 'junit.xml', ...(report.segments[0]?.pcaps ?? [])]);
      expect(report.segments[0]?.pcaps.length).to.be.above(2);
      expect(JSON.stringify(report), 'secrets').not.to.contain('PRIVATE KEY');
    },
    { needs: ['sudo'] },
  );

  test('warns of port security before it sends anything; with --max-macs 1 the port learns one address', async (hosts) => {
    const two = await validate(hosts, '--host', 'root@10.99.0.1', '--nic', 'eth1', ...common);
    expect(two.stderr).to.match(
      /warning: the switch learns 2 MAC addresses [^;]*;\n.*err-disable.*\n(.*\n)*.*untagged …/,
    );
    const one = await validate(hosts, '--host', 'root@10.99.0.1', '--nic', 'eth1', '--max-macs', '1', ...common);
    expect(one.stderr).to.contain('warning: the switch learns 1 MAC address ');
    expect([lastLine(one), one.status], one.stderr).to.deep.equal(['does not reflect', 1]);
    expect(one.stdout).to.contain('unicast to a learned address was not tried');
  });

  test('names isolation with a peer, which is reached in the same way', async (hosts) => {
    const before = await settledTraces(hosts, 'h2');
    for (const port of ['h1', 'h2']) await hosts.onSwitch(['bridge', 'link', 'set', 'dev', port, 'isolated', 'on']);
    const isolated = await validate(
      hosts,
      '--host',
      'root@10.99.0.1',
      '--nic',
      'eth1',
      '--peer',
      '10.99.0.2:eth1',
      ...common,
    );
    expect([lastLine(isolated), isolated.status], isolated.stderr).to.deep.equal(['does not reflect', 1]);
    expect(isolated.stdout).to.contain('The port is isolated');
    expect(await settledTraces(hosts, 'h2')).to.equal(before);
  });

  /** switch-port/observe.test.ts tests all other states in labs. Here, the test is of the connection to hosts. */
  const states = [
    'room for two MAC addresses',
    'every frame doubled on its way back',
    'hairpin for broadcast alone',
    'hairpin for unicast alone (bcast_flood, mcast_flood off)',
    'hairpin, slow: a tenth of a second and more for a frame',
  ];
  for (const state of switchStates.filter(({ name }) => states.includes(name))) {
    const title = `names a switch in state: ${state.name}${state.nft ? ' (needs nft)' : ''}`;
    const inState = async (hosts: Hosts) => {
      const nicMac = hostMac('h1');
      const tools = { port: 'h1', peerPort: 'h2', nicMac, macs: '02:6d:00:00', known: 2 } as const;
      for (const command of state.commands(tools)) {
        await hosts.onSwitch(typeof command === 'string' ? command.split(' ') : command);
      }
      const ended = await validate(hosts, '--host', 'root@10.99.0.1', '--nic', 'eth1', ...common);
      expect(lastLine(ended), ended.stdout + ended.stderr).to.match(state.answer);
    };
    test(title, inState, { needs: state.nft ? ['nft'] : [] });
  }

  const aPeerApart = async (hosts: Hosts) => {
    await hosts.onSwitch(['ip', 'link', 'set', 'dev', 'h2', 'nomaster']);
    const where = ['--host', 'root@10.99.0.1', '--nic', 'eth1', '--peer', '10.99.0.2:eth1', ...addresses];
    const [both, alone] = [
      await validate(hosts, ...where, ...common.slice(2)),
      await validate(hosts, ...where, '--forward-delay', '0'),
    ];
    expect([lastLine(both), both.status], both.stderr).to.deep.equal(['does not reflect', 1]);
    expect(both.stdout).to.match(/note: the peer \S+ answers nobody: it is not on this segment/);
    expect(lastLine(alone), alone.stderr).to.match(
      /^cannot tell: the peer \S+ answers nobody, for \d+ s: not on this segment/,
    );
    expect(alone.status).to.equal(3);
  };
  test('tells a peer that is not on the segment', aPeerApart, { long: true });

  test('works through a jump host', async (hosts) => {
    const far = await validate(
      hosts,
      '--host',
      'root@10.99.1.4',
      '--jump',
      'root@10.99.0.3',
      '--nic',
      'eth1',
      ...common,
    );
    expect([lastLine(far), far.status], far.stderr).to.deep.equal(['does not reflect', 1]);
  });

  test('cannot tell where nobody answers, and says so', async (hosts) => {
    const where = ['--host', 'root@10.99.0.1', '--nic', 'eth1', '--forward-delay', '0'];
    const lonely = await validate(hosts, ...where, '--addresses', '10.0.0.32/27', '--gateway', '10.0.0.77');
    expect(lastLine(lonely), lonely.stderr).to.match(/^cannot tell: the gateway 10\.0\.0\.77 answers nobody/);
    expect(lonely.status).to.equal(3);
  });

  test('takes no address that somebody has', async (hosts) => {
    await hosts.onHost('h2', ['ip', 'address', 'add', '10.0.0.41/24', 'dev', 'eth1']);
    await hosts.onHost('h2', ['ip', 'address', 'add', '10.0.0.42/24', 'dev', 'eth1']);
    const words = ['--addresses', '10.0.0.41-10.0.0.43', '--gateway', '10.0.0.1', '--forward-delay', '0'];
    const taken = await validate(hosts, '--host', 'root@10.99.0.1', '--nic', 'eth1', ...words);
    expect(taken.status).to.equal(3);
    expect(taken.stderr).to.match(/HOST_ADDRESSES: 2 free addresses are needed, and of 10.0.0.41-10.0.0.43 .* is 1/);
    expect(taken.stderr).to.match(/10\.0\.0\.41 is at 00:16:3e/);
  });

  test('a range of few addresses, one of them had and others its own: each is told with its reason', async (hosts) => {
    await hosts.onHost('h1', ['ip', 'address', 'add', '10.0.0.43/24', 'dev', 'eth1']);
    await hosts.onHost('h2', ['ip', 'address', 'add', '10.0.0.41/24', 'dev', 'eth1']);
    const words = ['--addresses', '10.0.0.41-10.0.0.43', '--gateway', '10.0.0.42', '--forward-delay', '0'];
    const { stderr, status } = await validate(hosts, '--host', 'root@10.99.0.1', '--nic', 'eth1', ...words);
    expect(status).to.equal(3);
    expect(stderr).to.match(/10\.0\.0\.41 is at 00:16:3e/);
    expect(stderr).to.include('10.0.0.42 is the gateway’s').and.to.include('10.0.0.43 is one of the hosts’ own');
    expect(stderr).not.to.include('VLAN untagged');
  });

  test('a VLAN that cannot be asked about beside one that can: the other keeps its answer, also in the reports', async (hosts) => {
    const vlan = ['--vlans', 'untagged,10', '--addresses', '10=10.10.0.0/27'];
    const ended = await validate(
      hosts,
      '--host',
      'root@10.99.0.1',
      '--nic',
      'eth1',
      ...common,
      ...vlan,
      '--json',
      'vlans.json',
    );
    expect(lastLine(ended), ended.stderr).to.match(
      /^does not reflect as far as can be told \(.*VLAN 10: cannot tell: /,
    );
    expect(ended.status).to.equal(1);
    const { folder } = hosts.files;
    const report = JSON.parse(readFileSync(join(folder, 'vlans.json'), 'utf8')) as PortReport;
    expect(report.segments.map(({ vlan: id, kind }) => [id, kind])).to.deep.equal([
      ['untagged', 'does not reflect'],
      [10, 'cannot tell'],
    ]);
    const junit = readFileSync(join(folder, 'reports/latest-switch/junit.xml'), 'utf8');
    expect(junit).to.include('tests="2" failures="1" errors="1"');
    if (/makes no VLANs/.test(ended.stdout))
      expect(ended.stdout).to.include('modprobe 8021q').and.not.to.include('doctor');
  });

  test('a peer that is the host itself: wrong usage, by either name', async (hosts) => {
    for (const peer of ['10.99.0.1:eth1', '10.99.0.1:mgmt0']) {
      const ended = await validate(hosts, '--host', 'root@10.99.0.1', '--nic', 'eth1', '--peer', peer, ...common);
      expect(ended.stderr).to.include('USAGE: the peer is the host itself').and.not.to.include('another lab');
      expect(ended.status).to.equal(2);
    }
  });

  test('broadcasts are dropped: each stage that takes seconds is told while it lasts', async (hosts) => {
    const where = ['--host', 'root@10.99.0.1', '--nic', 'eth1', '--forward-delay', '0'];
    const { stderr } = await validate(hosts, ...where, '--addresses', '10.0.0.32/27', '--gateway', '10.0.0.77');
    const stages = stderr.split('\n').filter((line) => line.startsWith('  '));
    expect(stages).to.include.members(['  asking as the NIC itself', '  no answer yet: retrying']);
    expect(stages).to.include('  asking as two children').and.to.include('  asking whether 2 addresses are free');
  });

  test('- as a file: the report alone on standard output', async (hosts) => {
    const where = ['--host', 'root@10.99.0.1', '--nic', 'eth1', ...common];
    const json = await validate(hosts, ...where, '--json', '-');
    expect((JSON.parse(json.stdout) as PortReport).answer, json.stderr).to.equal('does not reflect');
    expect(json.stderr.trimEnd().split('\n').at(-1)).to.equal('does not reflect');
    const junit = await validate(hosts, ...where, '--junit', '-');
    expect(junit.stdout).to.match(/^<\?xml [^]*<\/testsuites>\n$/);
    const both = await validate(hosts, ...where, '--json', '-', '--junit', '-');
    expect([both.status, both.stdout]).to.deep.equal([2, '']);
    expect(readdirSync(hosts.files.folder)).not.to.include('-');
  });

  const refused: [string, string[], RegExp, number][] = [
    ['no such NIC', ['--host', 'root@10.99.0.1', '--nic', 'eth9'], /HOST_NIC: 10.99.0.1 has no network card eth9/, 3],
    [
      'a bridge’s port',
      ['--host', 'root@10.99.0.100', '--nic', 'h1'],
      /HOST_NIC: h1 of 10.99.0.100 is a port of .*--nic/s,
      3,
    ],
    ['an unknown host', ['--host', 'root@10.99.0.99', '--nic', 'eth1'], /HOST_/, 3],
    ['a host that is an option', ['--host', '-oProxyCommand=x', '--nic', 'eth1'], /USAGE: .*--host/, 2],
    ['a NIC that is an option', ['--host', 'root@10.99.0.1', '--nic=-x'], /USAGE: .*--nic/, 2],
    ['a peer without a NIC', ['--host', 'h1', '--nic', 'eth1', '--peer', 'h2'], /USAGE: .*names no NIC/, 2],
    ['VLANs that are none', ['--host', 'h1', '--nic', 'eth1', '--vlans', '10,5000'], /USAGE: .*"5000" is no VLAN/, 2],
    ['three MAC addresses', ['--host', 'h1', '--nic', 'eth1', '--max-macs', '3'], /USAGE: .*Give 1 or 2/s, 2],
    ['a gateway of no VLAN asked', ['--host', 'h1', '--nic', 'eth1', '--gateway', '7=10.0.0.1'], /USAGE: .*VLAN 7/, 2],
  ];
  for (const [what, words, message, status] of refused) {
    test(`refuses ${what}`, async (hosts) => {
      const ended = await validate(hosts, ...words, ...addresses);
      expect(ended.stderr).to.match(message).and.to.contain('next:');
      expect(ended.status).to.equal(status);
    });
  }

  test(
    'says what is wrong with a key, a host key and sudo',
    async (hosts) => {
      const words = ['node', cli, 'validate-switch', '--nic', 'eth1', ...common];
      const run = (...more: string[]) => hosts.run([...words, ...more], { cwd: hosts.files.folder });
      const { identity, wrongIdentity, noKnownHosts } = hosts.files;
      const ended = [
        await run('--host', 'root@10.99.0.1', '--identity', wrongIdentity),
        await run('--host', 'root@10.99.0.1', '--identity', identity, '--known-hosts', noKnownHosts),
      ];
      await hosts.setSudo('h1', 'nothing');
      ended.push(await run('--host', 'ops@10.99.0.1', '--identity', identity));
      await hosts.setSudo('h1', 'without password');
      expect(ended.at(-1)?.stderr).not.to.match(/user: root|inventory/);
      const codes = ended.map(({ stderr }) => /HOST_[A-Z]+(?=: )/.exec(stderr)?.[0]);
      expect(codes, ended.map(({ stderr }) => stderr).join('\n')).to.deep.equal([
        'HOST_REFUSED',
        'HOST_KEY',
        'HOST_SUDO',
      ]);
      expect(ended.map(({ status }) => status)).to.deep.equal([3, 3, 3]);
    },
    { needs: ['sudo'] },
  );

  test('refuses addresses that are none, and none at all', async (hosts) => {
    const none = await validate(hosts, '--host', 'h1', '--nic', 'eth1');
    expect(none.stderr).to.match(/USAGE: .*--addresses/);
    const wrong = await validate(hosts, '--host', 'h1', '--nic', 'eth1', '--addresses', '10.0.0.300/24');
    expect(wrong.stderr).to.match(/USAGE: --addresses: "10.0.0.300\/24" is no range/);
    expect([none.status, wrong.status]).to.deep.equal([2, 2]);
  });

  test('leaves nothing when it is interrupted', async (hosts) => {
    const before = await settledTraces(hosts, 'h1');
    const words = ['--host', 'root@10.99.0.1', '--nic', 'eth1', ...addresses, '--gateway', '10.0.0.1'];
    const started = hosts.start(['node', cli, 'validate-switch', ...words, '--identity', hosts.files.identity], {
      cwd: hosts.files.folder,
    });
    await started.said('untagged …');
    started.kill('SIGINT');
    const { status, stdout, stderr } = await started.ended;
    expect([status, stdout], stderr).to.deep.equal([130, '']);
    expect(await settledTraces(hosts, 'h1')).to.equal(before);
  });

  test('leaves nothing when the connection is lost in the middle, and says so', async (hosts) => {
    const before = await settledTraces(hosts, 'h1');
    const words = ['--host', 'root@10.99.0.1', '--nic', 'eth1', ...addresses, '--gateway', '10.0.0.1'];
    const more = ['--identity', hosts.files.identity, '--junit', 'lost.xml'];
    const started = hosts.start(['node', cli, 'validate-switch', ...words, ...more], { cwd: hosts.files.folder });
    await started.said('untagged …');
    await hosts.dropConnections('h1');
    const { status, stderr } = await started.ended;
    expect(stderr, stderr).to.contain('HOST_LOST').and.to.contain('next:');
    expect(stderr, 'it keeps no journal that gc could undo').not.to.contain('macvlab gc');
    expect(status).to.equal(3);
    for (const file of ['lost.xml', 'reports/latest-switch/junit.xml']) {
      expect(readFileSync(join(hosts.files.folder, file), 'utf8'))
        .to.contain('tests="1" failures="0" errors="1"')
        .and.to.contain('<error type="HOST_LOST"');
    }
    expect(await settledTraces(hosts, 'h1')).to.equal(before);
  });

  sideBySide(atOnce, tests);
});
