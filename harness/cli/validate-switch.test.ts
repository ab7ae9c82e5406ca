import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  type Ended,
  type Hosts,
  macOf as hostMac,
  skipWithoutHosts,
  startHosts,
} from '../lab/inventory/hosts.test-support.js';
import { settledTraces } from '../lab/inventory/settled.test-support.js';
import type { PortReport } from '../report/port-report.js';
import { switchStates } from '../switch-port/switch-states.test-support.js';

const cli = fileURLToPath(new URL('main.js', import.meta.url));

describe('macvlab validate-switch on hosts (needs root)', function onHosts() {
  this.timeout(240_000);
  let hosts: Hosts;

  before(async function needsHosts() {
    skipWithoutHosts(this);
    hosts = await startHosts();
    await hosts.onHost('h3', ['ip', 'address', 'add', '10.0.0.1/24', 'dev', 'eth1']);
  });
  after(() => hosts?.close());

  const addresses = ['--addresses', '10.0.0.32/27'];
  const common = [...addresses, '--gateway', '10.0.0.1', '--forward-delay', '0'];

  async function validate(...argv: string[]): Promise<Ended> {
    const words = [...argv, '--identity', hosts.files.identity];
    return hosts.run(['node', cli, 'validate-switch', ...words], { cwd: hosts.files.folder });
  }
  const lastLine = ({ stdout }: Ended) => stdout.trimEnd().split('\n').at(-1);
  const onPort = (...words: string[]) => hosts.onSwitch(['bridge', 'link', 'set', 'dev', 'h1', ...words]);

  it('answers on the last line, with an exit code, a report, JUnit and frames; and leaves nothing', async () => {
    const before = await hosts.traces('h1');
    const plain = await validate('--host', 'root@10.99.0.1', '--nic', 'eth1', ...common);
    expect([lastLine(plain), plain.status], plain.stderr).to.deep.equal(['does not reflect', 1]);
    await onPort('hairpin', 'on');
    try {
      const files = ['--json', 'r.json', '--junit', 'deep/r.xml'];
      const reflecting = await validate('--host', 'ops@10.99.0.1', '--nic', 'eth1', ...common, ...files);
      expect([lastLine(reflecting), reflecting.status], reflecting.stderr).to.deep.equal(['reflects', 0]);
    } finally {
      await onPort('hairpin', 'off');
    }
    expect(await hosts.traces('h1')).to.equal(before);
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
  });

  it('names isolation with a peer, which is reached in the same way', async () => {
    const isolate = (on: string) =>
      Promise.all(['h1', 'h2'].map((port) => hosts.onSwitch(['bridge', 'link', 'set', 'dev', port, 'isolated', on])));
    const before = await hosts.traces('h2');
    await isolate('on');
    try {
      const isolated = await validate(
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
    } finally {
      await isolate('off');
    }
    expect(await hosts.traces('h2')).to.equal(before);
  });

  /** All others are made in labs by switch-port/observe.test.ts; here it is the way to them that is tried. */
  const states = [
    'room for two MAC addresses',
    'every frame doubled on its way back',
    'hairpin for broadcast alone',
    'hairpin for unicast alone (bcast_flood, mcast_flood off)',
    'hairpin, slow: a tenth of a second and more for a frame',
  ];
  for (const state of switchStates.filter(({ name }) => states.includes(name))) {
    it(`names a switch in state: ${state.name}${state.nft ? ' (needs nft)' : ''}`, async function inState() {
      if (state.nft && spawnSync('nft', ['--version']).status !== 0) this.skip();
      const nicMac = hostMac('h1');
      const tools = { port: 'h1', peerPort: 'h2', nicMac, macs: '02:6d:00:00', known: 2 } as const;
      for (const command of state.commands(tools)) {
        await hosts.onSwitch(typeof command === 'string' ? command.split(' ') : command);
      }
      try {
        const ended = await validate('--host', 'root@10.99.0.1', '--nic', 'eth1', ...common);
        expect(lastLine(ended), ended.stdout + ended.stderr).to.match(state.answer);
      } finally {
        const flags = ['hairpin', 'off', 'bcast_flood', 'on', 'mcast_flood', 'on'];
        await onPort(...flags);
        if (state.nft) await hosts.onSwitch(['nft', 'flush', 'ruleset']);
        else if (state.name.includes('slow')) await hosts.onSwitch(['tc', 'qdisc', 'delete', 'dev', 'h1', 'root']);
      }
    });
  }

  it('- as a file: the report alone on standard output', async () => {
    const where = ['--host', 'root@10.99.0.1', '--nic', 'eth1', ...common];
    const json = await validate(...where, '--json', '-');
    expect((JSON.parse(json.stdout) as PortReport).answer, json.stderr).to.equal('does not reflect');
    expect(json.stderr.trimEnd().split('\n').at(-1)).to.equal('does not reflect');
    const junit = await validate(...where, '--junit', '-');
    expect(junit.stdout).to.match(/^<\?xml [^]*<\/testsuites>\n$/);
    const both = await validate(...where, '--json', '-', '--junit', '-');
    expect([both.status, both.stdout]).to.deep.equal([2, '']);
    expect(readdirSync(hosts.files.folder)).not.to.include('-');
  });

  it('tells a peer that is not on the segment', async () => {
    await hosts.onSwitch(['ip', 'link', 'set', 'dev', 'h2', 'nomaster']);
    const where = ['--host', 'root@10.99.0.1', '--nic', 'eth1', '--peer', '10.99.0.2:eth1', ...addresses];
    try {
      const [both, alone] = [
        await validate(...where, ...common.slice(2)),
        await validate(...where, '--forward-delay', '0'),
      ];
      expect([lastLine(both), both.status], both.stderr).to.deep.equal(['does not reflect', 1]);
      expect(both.stdout).to.match(/note: the peer \S+ answers nobody: it is not on this segment/);
      expect(lastLine(alone), alone.stderr).to.match(
        /^cannot tell: the peer \S+ answers nobody, for \d+ s: not on this segment/,
      );
      expect(alone.status).to.equal(3);
    } finally {
      await hosts.onSwitch(['ip', 'link', 'set', 'dev', 'h2', 'master', 'br0']);
    }
  });

  it('works through a jump host', async () => {
    const far = await validate('--host', 'root@10.99.1.4', '--jump', 'root@10.99.0.3', '--nic', 'eth1', ...common);
    expect([lastLine(far), far.status], far.stderr).to.deep.equal(['does not reflect', 1]);
  });

  it('cannot tell where nobody answers, and says so', async () => {
    const where = ['--host', 'root@10.99.0.1', '--nic', 'eth1', '--forward-delay', '0'];
    const lonely = await validate(...where, '--addresses', '10.0.0.32/27', '--gateway', '10.0.0.77');
    expect(lastLine(lonely), lonely.stderr).to.match(/^cannot tell: the gateway 10\.0\.0\.77 answers nobody/);
    expect(lonely.status).to.equal(3);
  });

  it('takes no address that somebody has', async () => {
    await hosts.onHost('h2', ['ip', 'address', 'add', '10.0.0.41/24', 'dev', 'eth1']);
    await hosts.onHost('h2', ['ip', 'address', 'add', '10.0.0.42/24', 'dev', 'eth1']);
    try {
      const words = ['--addresses', '10.0.0.41-10.0.0.43', '--gateway', '10.0.0.1', '--forward-delay', '0'];
      const taken = await validate('--host', 'root@10.99.0.1', '--nic', 'eth1', ...words);
      expect(taken.status).to.equal(3);
      expect(taken.stderr).to.match(/HOST_ADDRESSES: 2 free addresses are needed, and of 10.0.0.41-10.0.0.43 .* is 1/);
      expect(taken.stderr).to.match(/10\.0\.0\.41 is at 00:16:3e/);
    } finally {
      await hosts.onHost('h2', ['ip', 'address', 'flush', 'dev', 'eth1']);
    }
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
    ['a gateway of no VLAN asked', ['--host', 'h1', '--nic', 'eth1', '--gateway', '7=10.0.0.1'], /USAGE: .*VLAN 7/, 2],
  ];
  for (const [what, words, message, status] of refused) {
    it(`refuses ${what}`, async () => {
      const ended = await validate(...words, ...addresses);
      expect(ended.stderr).to.match(message).and.to.contain('next:');
      expect(ended.status).to.equal(status);
    });
  }

  it('says what is wrong with a key, a host key and sudo', async () => {
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
    const codes = ended.map(({ stderr }) => /HOST_[A-Z]+(?=: )/.exec(stderr)?.[0]);
    expect(codes, ended.map(({ stderr }) => stderr).join('\n')).to.deep.equal([
      'HOST_REFUSED',
      'HOST_KEY',
      'HOST_SUDO',
    ]);
    expect(ended.map(({ status }) => status)).to.deep.equal([3, 3, 3]);
  });

  it('refuses addresses that are none, and none at all', async () => {
    const none = await validate('--host', 'h1', '--nic', 'eth1');
    expect(none.stderr).to.match(/USAGE: .*--addresses/);
    const wrong = await validate('--host', 'h1', '--nic', 'eth1', '--addresses', '10.0.0.300/24');
    expect(wrong.stderr).to.match(/USAGE: --addresses: "10.0.0.300\/24" is no range/);
    expect([none.status, wrong.status]).to.deep.equal([2, 2]);
  });

  it('leaves nothing when it is interrupted', async () => {
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

  it('leaves nothing when the connection is lost in the middle, and says so', async () => {
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
});
