import { expect } from 'chai';
import { skipWithoutRoot, TestSandbox } from '../../sandbox/sandbox.test-support.js';
import type { Session } from '../../../remote/session.js';
import { compare, forgetNeighbours, formatSnapshot, notItsOwn, type Ours, takeSnapshot } from './host-snapshot.js';

describe('snapshots of a host’s network (needs root)', function snapshots() {
  this.timeout(30_000);
  let sandbox: TestSandbox;
  let host: Session;

  const ours: Ours = { macRange: '02:6d:00:01', nic: 'eth0', networks: ['192.0.2.0/24', '2001:db8:77::/64'] };

  before(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open('a', 'b');
    // no duplicate address detection is pending when a snapshot is taken
    const withoutDad =
      'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad';
    await sandbox.machine.run(['nsenter', '--net=/run/netns/a', 'sh', '-c', withoutDad]);
    await sandbox.cable('a', 'b');
    await sandbox.ip(
      '-n a link add br0 type bridge',
      '-n a link set br0 up',
      '-n a link add p0 type veth peer name p1',
      '-n a link set p0 master br0',
      '-n a link set p0 up',
      '-n a link set p1 up',
      '-n a route add default via 10.0.0.2 proto dhcp metric 100',
      '-n a -6 route add default via 2001:db8::2 dev eth0 proto ra expires 900',
    );
    host = await sandbox.connect('a', 'a');
  });
  after(() => sandbox?.close());

  /** The differences after the first commands; the second commands undo them. */
  async function differences(done: readonly string[], undone: readonly string[]): Promise<string[]> {
    const before = await takeSnapshot(host, ours);
    await sandbox.ip(...done);
    const lines = compare(before, await takeSnapshot(host, ours));
    await sandbox.ip(...undone);
    expect(compare(before, await takeSnapshot(host, ours)), 'afterwards').to.be.empty;
    return lines;
  }

  for (const [what, done, undone, line] of [
    [
      'a link',
      ['-n a link add mac0 link eth0 type macvlan mode vepa'],
      ['-n a link delete mac0'],
      /^\+ link mac0: .*"info_kind":"macvlan"/,
    ],
    [
      'a link that is down',
      ['-n a link set p1 down'],
      ['-n a link set p1 up'],
      /^~ link p1: flags \[.*"UP".* is now flags/,
    ],
    [
      'promiscuity that somebody has set',
      ['-n a link set p1 promisc on'],
      ['-n a link set p1 promisc off'],
      /^~ link p1: .*PROMISC/,
    ],
    ['an MTU', ['-n a link set p1 mtu 1400'], ['-n a link set p1 mtu 1500'], /^~ link p1: mtu 1500 is now mtu 1400$/],
    [
      'a port’s hairpin',
      ['-n a link set p0 type bridge_slave hairpin on'],
      ['-n a link set p0 type bridge_slave hairpin off'],
      /^~ link p0: /,
    ],
    [
      'an address',
      ['-n a address add 192.0.2.1/24 dev p1'],
      ['-n a address delete 192.0.2.1/24 dev p1'],
      /^\+ address 192\.0\.2\.1\/24 on p1: /,
    ],
    [
      'an IPv6 address',
      ['-n a address add 2001:db8:5::1/64 dev p1 nodad'],
      ['-n a address delete 2001:db8:5::1/64 dev p1'],
      /^\+ address 2001:db8:5::1\/64 on p1: /,
    ],
    [
      'a route',
      ['-n a route add 198.51.100.0/24 via 10.0.0.7'],
      ['-n a route delete 198.51.100.0/24'],
      /^\+ route 198\.51\.100\.0\/24 via 10\.0\.0\.7 dev eth0$/,
    ],
    [
      'a route of another table',
      ['-n a route add 198.51.100.0/24 via 10.0.0.7 table 77'],
      ['-n a route delete 198.51.100.0/24 table 77'],
      /^\+ route 198\.51\.100\.0\/24 via 10\.0\.0\.7 dev eth0 table 77$/,
    ],
    [
      'a default route that is gone',
      ['-n a route delete default'],
      ['-n a route add default via 10.0.0.2 proto dhcp metric 100'],
      /^- route default via 10\.0\.0\.2 dev eth0 proto dhcp metric 100$/,
    ],
    [
      'a rule',
      ['-n a rule add from 192.0.2.0/24 table 77'],
      ['-n a rule delete from 192.0.2.0/24 table 77'],
      /^\+ rule .*192\.0\.2\.0/,
    ],
    [
      'a permanent neighbour',
      ['-n a neighbour add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent'],
      ['-n a neighbour delete 10.0.0.9 dev eth0'],
      /^\+ neighbour 10\.0\.0\.9 on eth0 \(permanent\): 02:00:00:00:00:09$/,
    ],
    [
      'a neighbour in a network of ours',
      ['-n a neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0 nud stale'],
      ['-n a neighbour delete 192.0.2.9 dev eth0'],
      /^\+ neighbour 192\.0\.2\.9 on eth0: 02:00:00:00:00:09$/,
    ],
    [
      'a neighbour with a MAC of ours',
      ['-n a neighbour add 10.0.0.8 lladdr 02:6d:00:01:00:01 dev eth0 nud stale'],
      ['-n a neighbour delete 10.0.0.8 dev eth0'],
      /^\+ neighbour 10\.0\.0\.8 on eth0: 02:6d:00:01:00:01$/,
    ],
  ] as const) {
    it(`tell ${what}`, async () => {
      const lines = await differences(done, undone);
      expect(
        lines.some((each) => line.test(each)),
        lines.join('\n'),
      ).to.be.true;
    });
  }

  it('tell forwarding', async () => {
    const before = await takeSnapshot(host, ours);
    await host.run(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
    expect(compare(before, await takeSnapshot(host, ours))).to.include('~ /proc/sys/net/ipv4/ip_forward: 0 is now 1');
    await host.run(['sh', '-c', 'echo 0 >/proc/sys/net/ipv4/ip_forward']);
    expect(compare(before, await takeSnapshot(host, ours))).to.be.empty;
  });

  it('are equal whatever a host does by itself', async () => {
    const before = await takeSnapshot(host, ours);
    await sandbox.ip(
      // the host talks to another host
      '-n a neighbour add 10.0.0.2 lladdr 02:00:00:00:00:22 dev eth0 nud reachable',
      // another router advertisement, and another DHCP reply
      '-n a -6 route replace default via 2001:db8::2 dev eth0 proto ra expires 1800',
      '-n a address change 10.0.0.1/24 dev eth0 valid_lft 3600 preferred_lft 1800',
      // a cable is unplugged
      '-n b link set eth0 down',
    );
    await host.run(['ping', '-c', '1', '-W', '1', '10.0.0.2']);
    const listening = await host.start(['tcpdump', '-i', 'eth0', '-w', '/dev/null']);
    const after = await takeSnapshot(host, ours);
    await host.signal('TERM', [listening]);
    expect(compare(before, after)).to.be.empty;
    await sandbox.ip('-n b link set eth0 up', '-n a neighbour flush dev eth0');
  });

  it('are without neighbours of ours when the host has been made to forget them, and with all others', async () => {
    await sandbox.ip(
      '-n a neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0 nud stale',
      '-n a neighbour add 2001:db8:77::9 lladdr 02:00:00:00:00:09 dev eth0 nud stale',
      '-n a neighbour add 10.0.0.8 lladdr 02:6d:00:01:00:01 dev eth0 nud stale',
      '-n a neighbour add 10.0.0.7 lladdr 02:00:00:00:00:07 dev eth0 nud stale',
      '-n a neighbour add 192.0.2.3 lladdr 02:00:00:00:00:03 dev p1 nud stale',
      '-n a neighbour add 192.0.2.4 lladdr 02:00:00:00:00:04 dev eth0 nud permanent',
    );
    await forgetNeighbours(host, ours);
    const { stdout } = await host.run(['ip', '-br', 'neighbour', 'show']);
    const left = stdout.split('\n').flatMap((line) => line.split(/\s+/)[0] || []);
    expect(left.sort()).to.deep.equal(['10.0.0.7', '192.0.2.3', '192.0.2.4']);
    await sandbox.ip('-n a neighbour flush all', '-n a neighbour delete 192.0.2.4 dev eth0');
  });

  it('know which networks are the host’s own, and read line by line', async () => {
    const snapshot = await takeSnapshot(host, ours);
    expect(notItsOwn(snapshot, ['10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32', 'fd00::/64'])).to.deep.equal([
      '192.0.2.0/24',
      'fd00::/64',
    ]);
    expect(formatSnapshot(snapshot)).to.match(/^address 10\.0\.0\.1\/24 on eth0: scope global$/m);
  });
});
