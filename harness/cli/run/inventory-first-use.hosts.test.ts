import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { planOf } from '../../address-plan/article-networks.js';
import {
  type Ended,
  type HostName,
  hostPlaces,
  type Hosts,
  skipWithoutHosts,
  startHosts,
} from '../../machine/inventory/hosts.test-support.js';
import type { RunRecord, TestRecord } from '../../run/record.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));

const three = { node1: 'h1', node2: 'h2', router: 'h3' } as const satisfies Record<string, HostName>;
const off = { hairpin: { node1: 'off', node2: 'off', router: 'off' } };

/** The first half hour of an engineer with hosts of their own, with the command lines as typed. */
describe('first use of an inventory (needs root)', function firstUse() {
  this.timeout(300_000);
  let hosts: Hosts;

  before(async function needsRoot() {
    skipWithoutHosts(this);
    hosts = await startHosts();
  });
  after(() => hosts?.close());

  const macvlab = (...argv: string[]): Promise<Ended> =>
    hosts.run([process.execPath, main, ...argv], { cwd: hosts.files.folder });
  const on = (file: string) => ['--lab', 'inventory', '--inventory', file];

  async function neighbours(name: HostName): Promise<string> {
    return hosts.onHost(name, ['ip', 'neighbour', 'show', 'dev', 'eth1']);
  }

  it('a run was killed, then gc, then a run: gc removes the neighbours of the lab, and the run succeeds', async () => {
    const file = hosts.inventory(three, { switch: off });
    const running = hosts.start([process.execPath, main, 'run', 'A1', ...on(file), '--reporter', 'lines'], {
      cwd: hosts.files.folder,
    });
    await running.said(/^ok /m);
    running.kill('SIGKILL');
    await running.ended;
    expect(await neighbours('h1')).to.include('10.211.55.');
    const gc = await macvlab('gc', '--lab', 'inventory');
    expect(gc.status, gc.stderr).to.equal(0);
    for (const name of ['h1', 'h2'] as const) expect(await neighbours(name), name).not.to.include('10.211.55.');
    // A router that the killed run created may have sent one more ARP request.
    await hosts.onHost('h1', [
      'ip',
      'neighbour',
      'replace',
      '10.211.55.1',
      'lladdr',
      '02:6d:01:02:03:04',
      'nud',
      'stale',
      'dev',
      'eth1',
    ]);
    const again = await macvlab('run', 'A1.1', ...on(file), '--reporter', 'lines');
    expect(again.stderr).not.to.include('LAB_DAMAGED');
    expect(again.status, `${again.stdout}${again.stderr}`).to.equal(0);
  });

  it('a host knows neighbours of its own on the same card: it still knows them after a run', async () => {
    const own = ['10.77.0.12', 'lladdr', '02:00:00:00:00:12', 'nud', 'stale', 'dev', 'eth1'];
    await hosts.onHost('h1', ['ip', 'address', 'add', '10.77.0.11/24', 'dev', 'eth1']);
    await hosts.onHost('h1', ['ip', 'neighbour', 'replace', ...own]);
    try {
      const { status, stdout, stderr } = await macvlab('run', ...on(hosts.inventory(three, { switch: off })), 'A1.1');
      expect(status, stderr).to.equal(0);
      expect(stdout, 'what is waited for').to.include('reaching root@10.99.0.1, root@10.99.0.2, root@10.99.0.3 …');
      expect(await neighbours('h1')).to.include('10.77.0.12 lladdr 02:00:00:00:00:12');
    } finally {
      await hosts.onHost('h1', ['ip', 'address', 'delete', '10.77.0.11/24', 'dev', 'eth1']);
    }
  });

  interface Results {
    run: RunRecord;
    records: TestRecord[];
    folder: string;
  }

  async function results(file: string, ...words: string[]): Promise<Results & Pick<Ended, 'status' | 'stderr'>> {
    const { stdout, stderr, status } = await macvlab('run', ...words, ...on(file), '--reporter', 'json');
    expect(stdout, stderr).to.match(/^\{/);
    return { ...(JSON.parse(stdout) as Results), status, stderr };
  }

  it('a range of 14 addresses: articles 0, 1, 3 and 4 run in it, with the articles’ addresses in reports and those of the range on the wire', async () => {
    const file = hosts.inventory(three, { addresses: ['10.88.0.0/28'], switch: off });
    const doctor = await macvlab('doctor', ...on(file));
    expect(doctor.status, doctor.stdout).to.equal(0);
    expect(doctor.stdout).to.match(
      /experiments +room for A0, A1, A2\.6, A3, A4; A2, X6, .* cannot run: needs a \/64 for/,
    );
    expect(doctor.stdout).to.match(/X1, X2, X3, X4, X5 cannot run: needs a \/64 for fd00:211:55::\/64/);
    const filters = ['A0.4', 'A0.6', 'A1.1', 'A1.2', 'A3', 'A4', 'X1.1'];
    const { records, folder, status, stderr } = await results(file, ...filters);
    expect(stderr).to.match(/addresses +10\.88\.0\.0\/29 in the place of 192\.168\.8\.0\/24 \(A0\)/);
    expect(stderr).to.match(/X1, X2, X3, X4, X5 cannot run: needs a \/64/);
    const said = records.map(({ id, title, verdict, reason }) => `${id} ${title}: ${verdict} ${reason}`).join('\n');
    const verdicts = (begin: string) =>
      new Set(records.filter(({ id }) => id.startsWith(begin)).map(({ verdict }) => verdict));
    expect(status, said).to.equal(0);
    expect([...verdicts('A1')], said).to.deep.equal(['passed']);
    expect([...verdicts('A3')], said).to.deep.equal(['passed']);
    expect([...verdicts('A4')], said).to.deep.equal(['passed']);
    expect([...verdicts('X1')], said).to.deep.equal(['skipped']);
    const a1 = records.find(({ id }) => id === 'A1.1');
    expect(a1?.addresses).to.include({ '10.211.55.0/24': '10.88.0.0/28', '10.211.55.18': '10.88.0.3' });
    for (const { id, addresses = {}, evidence } of records.filter(({ verdict }) => verdict === 'passed')) {
      const plan = planOf(id);
      const known = plan?.networks.flatMap(({ network, hosts: own }) => [network, ...own]) ?? [];
      expect(known, `${id}: what the table says of its plan`).to.include.members(
        Object.keys(addresses).filter((each) => each.includes('/')),
      );
      const commands = evidence.find(({ kind }) => kind === 'commands')?.file ?? '';
      const text = readFileSync(join(folder, commands), 'utf8');
      const given = [...text.matchAll(/^# {5}.*\b(\d+\.\d+\.\d+\.\d+)/gm)].map(([, address]) => address ?? '');
      for (const address of given) expect(address, `${id}: given to a host`).to.match(/^10\.88\.0\.([0-9]|1[0-5])$/);
      const pcap = evidence.find(({ kind }) => kind === 'pcap')?.file;
      if (pcap === undefined) continue;
      const { stdout } = await hosts.run(['tcpdump', '-n', '-r', join(folder, pcap)]);
      expect(stdout, `${id}: on the wire`).not.to.match(/192\.168\.|10\.211\./);
    }
  });

  it('a range in which nothing has room: doctor and run say so, and neither is a success', async () => {
    await hosts.onHost('h1', ['ip', 'address', 'add', '10.77.0.11/24', 'dev', 'eth1']);
    try {
      for (const [range, why] of [
        ['10.88.0.0/30', 'needs a /28 for 10.211.55.0/24'],
        ['10.77.0.0/24', 'node1 has a route to 10.77.0.0/24 already, by eth1'],
      ] as const) {
        const file = hosts.inventory(three, { addresses: [range], switch: off });
        const doctor = await macvlab('doctor', ...on(file));
        expect(doctor.status, doctor.stdout).to.equal(3);
        expect(doctor.stdout).to.include(`no experiment can run in ${range}`).and.to.include(why);
        const { status, records, stderr } = await results(file, 'A1.1');
        expect(new Set(records.map(({ verdict }) => verdict)), stderr).to.deep.equal(new Set(['skipped']));
        expect(records[0]?.reason).to.include(why);
        expect(status).to.equal(3);
      }
    } finally {
      await hosts.onHost('h1', ['ip', 'address', 'delete', '10.77.0.11/24', 'dev', 'eth1']);
    }
  });

  it('the ports of two hosts are swapped in the inventory: doctor and run name the right ones, and set nothing', async () => {
    const { nic: _, ...reachable } = hosts.machine('switch');
    const ports = { node1: 'h2', node2: 'h1', router: 'h3' };
    const file = hosts.inventory(three, { switch: { driver: { bridge: { ...reachable, device: 'br0', ports } } } });
    const right = /node1’s card \(eth1, 00:16:3e\S+\) is behind h1 of switch’s br0, not behind h2/;
    await hosts.onSwitch(['bridge', 'link', 'set', 'dev', 'h2', 'hairpin', 'on']);
    try {
      const doctor = await macvlab('doctor', ...on(file));
      expect(doctor.stdout).to.match(right).and.to.include('{ node1: h1, node2: h2 }');
      expect(doctor.status).to.equal(3);
      const { stdout, stderr, status } = await macvlab('run', 'A1.4', ...on(file), '--reporter', 'lines');
      expect(`${stdout}${stderr}`).to.match(right).and.not.to.include('A1.4 vepa');
      expect(status).to.equal(3);
      expect(await hosts.onSwitch(['bridge', '-d', 'link', 'show', 'dev', 'h2'])).to.include('hairpin on');
    } finally {
      await hosts.onSwitch(['bridge', 'link', 'set', 'dev', 'h2', 'hairpin', 'off']);
    }
  });

  it('doctor of a host whose key is unknown: shows the fingerprint, and does not call the host missing', async () => {
    const machines = {
      node1: hosts.machine('h1', { 'known-hosts': hosts.files.noKnownHosts }),
      node2: hosts.machine('h2'),
    };
    const { stdout, status } = await macvlab('doctor', ...on(hosts.inventory({}, { machines })));
    expect(status).to.equal(3);
    const key = Buffer.from(hosts.hostKey('h1').split(' ')[1] ?? '', 'base64');
    const fingerprint = createHash('sha256').update(key).digest('base64').replace(/=$/, '');
    expect(stdout).to.include(`SHA256:${fingerprint}`);
    expect(stdout)
      .to.match(/^REFUSED +node1 /)
      .and.not.to.include('MISSING');
  });

  it('doctor: says what the hosts lack before anything of this machine, their VLANs and clocks, and one host of two names', async () => {
    const jump = `root@${hostPlaces.h3.address}`;
    const machines = { node1: hosts.machine('h1'), node2: hosts.machine('h1', { jump }) };
    const { stdout, status } = await macvlab('doctor', ...on(hosts.inventory({}, { machines })));
    expect(status).to.equal(3);
    expect(stdout).to.match(/^REFUSED +hosts +node1 and node2 are one host, reached by two names/);
    expect(stdout)
      .to.match(/node1 VLANs +the kernel has/)
      .and.to.match(/node1 clock +0\.\d+ s (ahead of|behind) this machine’s/);
    expect(stdout.indexOf('this machine\n')).to.be.above(stdout.indexOf('node2'));
  });

  it('doctor --probe: names who has an address that experiments would get', async () => {
    await hosts.onHost('h4', ['ip', 'address', 'add', '10.88.0.3/28', 'dev', 'eth1']);
    try {
      const file = hosts.inventory(three, { addresses: ['10.88.0.0/28'], switch: off });
      expect((await macvlab('doctor', ...on(file))).status).to.equal(0);
      const { stdout, status } = await macvlab('doctor', '--probe', ...on(file));
      expect(stdout).to.include('00:16:3e:00:01:04 has 10.88.0.3');
      expect(status).to.equal(3);
      const run = await results(file, 'A1.1');
      expect(run.records[0]?.reason).to.include('has 10.88.0.3, which the experiments need (as 10.211.55.18)');
    } finally {
      await hosts.onHost('h4', ['ip', 'address', 'delete', '10.88.0.3/28', 'dev', 'eth1']);
    }
  });

  it('--dry-run: shows what each host gets, of the chosen experiments alone, and scripts only with --details', async () => {
    const file = hosts.inventory(three, { addresses: ['10.88.0.0/28'], switch: off });
    const dry = async (...more: string[]) => (await macvlab('run', 'A1.1', ...on(file), '--dry-run', ...more)).stdout;
    const short = await dry();
    expect(short).to.match(/^ {2}node1 +eth1 \+= 10\.88\.0\.3\/28, /m);
    expect(short)
      .not.to.match(/192\.168\.|VLANs|A4\.8/)
      .and.not.to.include('10.211.55.18');
    expect(Math.max(...short.split('\n').map(({ length }) => length))).to.be.below(200);
    const long = await dry('--details');
    expect(long.split('\n').length).to.be.above(short.split('\n').length + 60);
  });

  it('the inventory says that a port does not reflect, and it does, or the other way round: an error names that line, no test fails', async () => {
    const hairpin = (on: string) => hosts.onSwitch(['bridge', 'link', 'set', 'dev', 'h1', 'hairpin', on]);
    for (const [real, said, id, words] of [
      ['on', 'off', 'A1.3', 'does not reflect (hairpin: off), and a frame came back'],
      ['off', 'on', 'A1.4', 'reflects (hairpin: on), and a frame did not come back'],
    ] as const) {
      await hairpin(real);
      try {
        const file = hosts.inventory(three, { switch: { hairpin: { ...off.hairpin, node1: said } } });
        const { records, status } = await results(file, id);
        const verdicts = records.map(({ verdict }) => verdict);
        expect(verdicts, id).to.include('error').and.not.to.include('failed');
        const failure = records.find(({ verdict }) => verdict === 'error')?.failure;
        expect(failure?.code).to.equal('SWITCH_CLAIM');
        expect(failure?.message).to.include(words);
        expect(failure?.next).to.include('macvlab validate-switch').and.to.include('switch.hairpin.node1');
        expect(status).to.equal(3);
      } finally {
        await hairpin('off');
      }
    }
  });

  it('a ping is lost at a switch that nobody can look into: the reason names the card that it left', async () => {
    const { records, run, folder } = await results(hosts.inventory(three, { switch: off }), 'A1.3');
    expect(records.map(({ verdict }) => verdict)).to.include('passed');
    const reasons = records.flatMap(({ reason = '' }) => (/ARP request/.test(reason) ? [reason] : []));
    expect(reasons).to.not.be.empty;
    for (const reason of reasons) expect(reason).to.include('ARP request left node1/eth1, and never came back');
    expect(run.hosts).to.deep.equal({ node1: 'root@10.99.0.1', node2: 'root@10.99.0.2', router: 'root@10.99.0.3' });
    const junit = readFileSync(join(folder, 'junit.xml'), 'utf8');
    expect(junit).to.include('hostname="root@10.99.0.1, root@10.99.0.2, root@10.99.0.3"');
    expect(junit).to.include('<property name="host.node1" value="root@10.99.0.1"/>');
  });

  it('a failure on hosts with a range of their own: the frames say how well times compare, and what the addresses were on the wire', async () => {
    const isolate = (on: string) =>
      Promise.all(['h1', 'h2'].map((port) => hosts.onSwitch(['bridge', 'link', 'set', 'dev', port, 'isolated', on])));
    await isolate('on');
    try {
      const file = hosts.inventory(three, { addresses: ['10.88.0.0/28'], switch: off });
      const { records, status } = await results(
        file,
        ...['bridge', 'private', 'vepa', 'vepa-hairpin'].map((each) => `a1-${each}-to-other-host`),
      );
      const failed = records.find(({ verdict, id }) => verdict === 'failed' && id === 'A1.1');
      expect(failed?.failure?.details, JSON.stringify(records.map(({ reason }) => reason))).to.match(
        /\(times of different hosts are comparable to ± \d+\.\d\d ms/,
      );
      expect(failed?.failure?.details).to.match(/\(on the wire: .*10\.211\.55\.101 is 10\.88\.0\.4/);
      expect(failed?.failure?.details).to.include('ARP request left node1/eth1, and never came to node2/eth1');
      expect(status).to.equal(1);
    } finally {
      await isolate('off');
    }
  });
});
