import { expect } from 'chai';
import { errorOf } from '../core/error.test-support.js';
import { Scope } from '../core/scope.js';
import { skipWithoutRoot, TestSandbox } from '../machine/sandbox/sandbox.test-support.js';
import { NetworkStack } from '../remote/network-stack.js';
import { addAddress, addressesOf, deleteAddress } from './address.js';
import { readBridgePorts, setBridgePortFlag } from './bridge-port.js';
import { apply, type Change } from './change.js';
import { setMac, setPromiscuous, setUp } from './device.js';
import { LinkError } from './errno.js';
import { macvlanMode, readLink, readLinks } from './link-info.js';
import { addMacvlan, macvlanModes, setMacvlanMode } from './macvlan.js';
import { addNamespace, moveLink } from './namespace.js';
import { addNeighbour, flushNeighbours, readNeighbours } from './neighbour.js';
import { addRoute } from './route.js';

async function refusalOf(work: Promise<unknown>): Promise<LinkError> {
  const error = await errorOf(work);
  if (error instanceof LinkError) return error;
  return expect.fail(`no LinkError: ${error.format()}`);
}

describe('changes of links (needs root)', function () {
  let sandbox: TestSandbox;
  let a: NetworkStack;
  let b: NetworkStack;
  let scope: Scope;

  before(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open('a', 'b');
    await sandbox.cable('a', 'b');
    await sandbox.ip(
      '-n b link add br0 type bridge mcast_snooping 0',
      '-n b link add p0 type veth peer name p1',
      '-n b link set p0 master br0',
      '-n a link set eth0 address 02:00:00:00:00:0a',
      '-n a link add mac0 link eth0 type macvlan mode vepa',
    );
    [a, b] = [sandbox.stack('a'), sandbox.stack('b')];
  });
  after(() => sandbox?.close());
  beforeEach(() => (scope = new Scope('test')));
  afterEach(() => scope.close());

  /** All state of both stacks that changes may affect. */
  async function state(): Promise<unknown> {
    const read = async (stack: NetworkStack, ...argv: string[]) => (await stack.run(argv, 'reading')).stdout;
    const [linksA, linksB, ports] = await Promise.all([readLinks(a), readLinks(b), readBridgePorts(b)]);
    const plain = [...linksA, ...linksB].map(({ ifname, flags, address, addr_info, promiscuity, linkinfo, link }) => ({
      ...{ ifname, address, promiscuity, link, mode: linkinfo?.info_data?.mode },
      flags: flags.filter((flag) => !/LOWER_UP|NO-CARRIER|M-DOWN/.test(flag)),
      addresses: addr_info?.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort(),
    }));
    return {
      plain,
      ports,
      routes: await Promise.all([read(a, 'ip', '-j', 'route'), read(a, 'ip', '-j', '-6', 'route')]),
      permanent: await read(a, 'ip', '-j', 'neighbour', 'show', 'nud', 'permanent'),
      namespaces: await read(sandbox.stack(), 'ip', 'netns', 'list'),
    };
  }

  /** Makes changes, checks that they are there, undoes them, and checks that the original state is back. */
  async function thereAndBack(changes: readonly Change[], there: () => Promise<unknown>): Promise<void> {
    const before = await state();
    await apply(changes, scope);
    await there();
    expect(await state(), 'the change').not.to.deep.equal(before);
    await scope.close();
    expect(await state(), 'after the undo').to.deep.equal(before);
  }

  describe('are made, and undone to the last bit:', () => {
    it('are undone when their scope ends while they are being made', async () => {
      const earlier = await state();
      const making = apply([setPromiscuous(a, 'eth0', true)], scope);
      await scope.close();
      await making;
      expect(await state()).to.deep.equal(earlier);
    });

    it('up and down', () =>
      thereAndBack([setUp(a, 'mac0', true)], async () => {
        expect((await readLink(a, 'mac0')).flags).to.include('UP');
        expect((await apply([setUp(a, 'mac0', false)]))[0]).to.include({ before: true, after: false });
        await apply([setUp(a, 'mac0', true)]);
      }));

    it('promiscuous', () =>
      thereAndBack([setPromiscuous(a, 'eth0', true)], async () =>
        expect(await readLink(a, 'eth0')).to.deep.include({ promiscuity: 1 }),
      ));

    it('a MAC address, in whatever case', () =>
      thereAndBack([setMac(a, 'eth0', '02:AB:00:00:00:01')], async () =>
        expect((await readLink(a, 'eth0')).address).to.equal('02:ab:00:00:00:01'),
      ));

    for (const [family, cidr] of [
      ['IPv4', '10.1.0.7/24'],
      ['IPv6', '2001:db8:1::7/64'],
    ] as const) {
      it(`an ${family} address more`, () =>
        thereAndBack([addAddress(a, 'eth0', cidr)], async () =>
          expect(addressesOf(await readLink(a, 'eth0'))).to.include(cidr),
        ));
    }

    for (const [family, cidr, spelt] of [
      ['IPv4', '10.0.0.1/24', '10.0.0.1/24'],
      ['IPv6', '2001:db8::1/64', '2001:db8::1/64'],
      ['IPv6, spelt otherwise,', '2001:db8::1/64', '2001:DB8:0:0::01/64'],
    ] as const) {
      it(`an ${family} address less`, () =>
        thereAndBack([deleteAddress(a, 'eth0', spelt)], async () =>
          expect(addressesOf(await readLink(a, 'eth0'))).not.to.include(cidr),
        ));
    }

    it('an IPv6 address is usable as soon as its removal is undone', async () => {
      await apply([deleteAddress(a, 'eth0', '2001:db8::1/64')], scope);
      await scope.close();
      const { addr_info } = await readLink(a, 'eth0');
      expect(addr_info?.find(({ local }) => local === '2001:db8::1')).not.to.have.property('tentative');
    });

    it('routes, IPv4 and IPv6', () =>
      thereAndBack(
        [
          addRoute(a, { to: '10.9.0.0/16', via: '10.0.0.2' }),
          addRoute(a, { to: 'default', via: '10.0.0.2', device: 'eth0' }),
          addRoute(a, { to: '10.8.0.0/16', device: 'eth0' }),
          addRoute(a, { to: '2001:db8:9::/48', via: '2001:db8::2' }),
          addRoute(a, { to: 'default', via: '2001:db8::2' }),
        ],
        async () => {
          const { stdout } = await a.run(['ip', '-6', 'route'], 'reading');
          expect(stdout).to.contain('2001:db8:9::/48 via 2001:db8::2').and.to.contain('default via 2001:db8::2');
        },
      ));

    for (const [address, spelt] of [
      ['10.0.0.50', '10.0.0.50'],
      ['2001:db8::50', '2001:db8::50'],
      ['2001:db8::50', '2001:DB8::0050'],
    ] as const) {
      it(`a neighbour, ${spelt}`, () =>
        thereAndBack([addNeighbour(a, 'eth0', spelt, '02:00:00:00:00:AA')], async () =>
          expect(await readNeighbours(a)).to.deep.include({ address, mac: '02:00:00:00:00:aa', state: ['PERMANENT'] }),
        ));
    }

    it('flags of a switch port', () =>
      thereAndBack(
        [
          setBridgePortFlag(b, 'p0', 'hairpin', true),
          setBridgePortFlag(b, 'p0', 'isolated', true),
          setBridgePortFlag(b, 'p0', 'learning', false),
          setBridgePortFlag(b, 'p0', 'flood', false),
          setBridgePortFlag(b, 'p0', 'bcast_flood', false),
          setBridgePortFlag(b, 'p0', 'mcast_flood', false),
        ],
        async () =>
          expect((await readBridgePorts(b))[0]).to.include({
            hairpin: true,
            isolated: true,
            learning: false,
            flood: false,
          }),
      ));

    for (const mode of ['private', 'bridge'] as const) {
      it(`a macvlan’s mode, ${mode}`, () =>
        thereAndBack([setMacvlanMode(a, 'mac0', mode)], async () =>
          expect(macvlanMode(await readLink(a, 'mac0'))).to.equal(mode),
        ));
    }

    for (const mode of macvlanModes.filter((name) => name !== 'passthru')) {
      it(`a macvlan of mode ${mode}`, () =>
        thereAndBack([addMacvlan(a, { name: 'mac1', parent: 'eth0', mode, mac: '02:00:00:00:01:01' })], async () => {
          const link = await readLink(a, 'mac1');
          expect([macvlanMode(link), link.address, link.link]).to.deep.equal([mode, '02:00:00:00:01:01', 'eth0']);
        }));
    }

    it('a macvlan whose mode the kernel chooses', () =>
      thereAndBack([addMacvlan(a, { name: 'mac1', parent: 'eth0' })], async () =>
        expect(macvlanMode(await readLink(a, 'mac1'))).to.equal('vepa'),
      ));

    it('a macvlan with the flags and sources of its mode', async () => {
      const sources = ['02:00:00:00:02:01', '02:00:00:00:02:02'];
      await thereAndBack(
        [addMacvlan(a, { name: 'mac1', parent: 'eth0', mode: 'source', flags: ['nodst'], sources })],
        async () => {
          const { stdout } = await a.run(['ip', '-d', 'link', 'show', 'mac1'], 'reading');
          expect(stdout).to.contain('nodst').and.to.contain(sources[0]).and.to.contain(sources[1]);
        },
      );
    });

    it('a passthru macvlan with nopromisc, where there is no other', () =>
      thereAndBack(
        [addMacvlan(b, { name: 'mac1', parent: 'eth0', mode: 'passthru', flags: ['nopromisc'] })],
        async () => expect(macvlanMode(await readLink(b, 'mac1'))).to.equal('passthru'),
      ));

    it('a namespace with a macvlan made into it', async () => {
      const ns1 = sandbox.stack('ns1');
      await thereAndBack(
        [
          ...addNamespace(sandbox.stack(), ns1),
          addMacvlan(a, { name: 'eth9', parent: 'eth0', mode: 'bridge' }, ns1),
          addAddress(ns1, 'eth9', '10.0.0.3/24'),
          addAddress(ns1, 'eth9', '2001:db8::3/64'),
          setUp(ns1, 'eth9', true),
        ],
        async () => {
          expect((await readLink(ns1, 'lo')).flags).to.include('UP');
          const link = await readLink(ns1, 'eth9');
          expect([macvlanMode(link), ...addressesOf(link)]).to.deep.equal(['bridge', '10.0.0.3/24', '2001:db8::3/64']);
        },
      );
    });

    it('what a namespace takes with it when an experiment deletes it itself', async () => {
      const ns1 = sandbox.stack('ns1');
      await apply([...addNamespace(sandbox.stack(), ns1), addMacvlan(a, { name: 'eth9', parent: 'eth0' }, ns1)], scope);
      await sandbox.ip('netns delete ns1');
      await scope.close();
    });
  });

  describe('are moves', () => {
    it('from one namespace to another, with a new name', async () => {
      await sandbox.ip('-n a link add mover type veth peer name peer');
      await apply([moveLink(a, 'mover', b, 'moved')]);
      expect((await readLink(b, 'moved')).linkinfo?.info_kind).to.equal('veth');
      expect((await refusalOf(readLink(a, 'mover'))).stderr).to.contain('does not exist');
      await apply([moveLink(b, 'moved', a)]);
      await sandbox.ip('-n a link delete moved');
    });

    it('out of a namespace into the stack of the session itself', async () => {
      const session = await sandbox.connect('b', 'b');
      const own = new NetworkStack('b', session, sandbox.log);
      const inner = new NetworkStack('b/a', session, sandbox.log, 'a');
      await sandbox.ip('-n a link add mover type veth peer name peer');
      await apply([moveLink(inner, 'mover', own, 'home')]);
      expect((await readLink(b, 'home')).linkinfo?.info_kind).to.equal('veth');
      await sandbox.ip('-n b link delete home');
    });
  });

  describe('are recorded', () => {
    it('with the value before and after, in the result and in the log', async () => {
      const mark = sandbox.log.mark();
      const records = await apply([addAddress(a, 'eth0', '10.1.0.7/24'), setPromiscuous(a, 'eth0', true)], scope);
      const addresses = ['10.0.0.1/24', '2001:db8::1/64'];
      expect(records).to.deep.equal([
        {
          what: 'eth0: address 10.1.0.7/24',
          before: addresses,
          after: ['10.0.0.1/24', '10.1.0.7/24', '2001:db8::1/64'],
        },
        { what: 'eth0: promiscuous on', before: false, after: true },
      ]);
      const logged = sandbox.log.between(mark);
      expect(logged.map(({ kind, where }) => `${kind} ${where}`)).to.deep.equal([
        'reading a',
        'change a',
        'change a',
        'reading a',
      ]);
      expect(logged[1]).to.deep.include({ status: 0, before: addresses, after: records[0]!.after, namespace: 'a' });
      expect(logged[2]).to.deep.include({ before: false, after: true });
      expect(logged[2]!.argv).to.deep.equal(['ip', 'link', 'set', 'dev', 'eth0', 'promisc', 'on']);
      expect(logged[0]!.output).to.contain('"ifname":"eth0"');
      await scope.close();
      expect(
        sandbox.log
          .between(mark)
          .slice(4)
          .map(({ kind, argv }) => `${kind}: ${argv.join(' ')}`),
      ).to.deep.equal(['undo: ip link set dev eth0 promisc off', 'undo: ip address delete 10.1.0.7/24 dev eth0']);
    });

    it('and need no undo when nothing changed', async () => {
      await apply([setPromiscuous(a, 'eth0', false), setUp(a, 'eth0', true)], scope);
      const mark = sandbox.log.mark();
      await scope.close();
      expect(sandbox.log.between(mark)).to.be.empty;
      expect(await apply([])).to.deep.equal([]);
    });

    it('with everything that one machine holds, in one round trip', async () => {
      const records = await apply([setPromiscuous(a, 'eth0', true), setPromiscuous(b, 'eth0', true)], scope);
      expect(records.map(({ before, after }) => [before, after])).to.deep.equal([
        [false, true],
        [false, true],
      ]);
    });
  });

  describe('that fail in the middle', () => {
    it('undo what was done before, and only that', async () => {
      const before = await state();
      const error = await refusalOf(
        apply(
          [
            setPromiscuous(a, 'eth0', true),
            addAddress(a, 'eth0', '10.1.0.7/24'),
            addMacvlan(a, { name: 'mac0', parent: 'eth0', mode: 'bridge' }),
            addNeighbour(a, 'eth0', '10.0.0.50', '02:00:00:00:00:aa'),
          ],
          scope,
        ),
      );
      expect(error.message).to.equal('a: add macvlan mac0 on eth0, mode bridge: RTNETLINK answers: File exists');
      expect((await readLink(a, 'eth0')).promiscuity).to.equal(1);
      const mark = sandbox.log.mark();
      await scope.close();
      expect(await state()).to.deep.equal(before);
      expect(sandbox.log.between(mark).filter(({ kind }) => kind === 'undo')).to.have.lengthOf(2);
    });

    it('report an undo that the kernel refuses', async () => {
      await apply([addMacvlan(a, { name: 'mac1', parent: 'eth0', mode: 'bridge' })], scope);
      const broken: Change = {
        stack: a,
        what: 'nothing',
        command: ['true'],
        undo: () => ['ip', 'link', 'set', 'eth0', 'mtu', '5'],
      };
      await apply([broken], scope);
      const error = await errorOf(scope.close());
      expect(error.code).to.equal('UNDO_FAILED');
      expect(error.evidence).to.match(/^undo nothing: a: undo nothing: .*mtu less than device minimum/);
      expect((await refusalOf(readLink(a, 'mac1'))).stderr).to.contain('does not exist');
      scope = new Scope('rest');
    });
  });

  it('that are accepted and read back otherwise are an error', async () => {
    const change = { ...setPromiscuous(a, 'eth0', true), command: ['true'] };
    const error = await errorOf(apply([change], scope));
    expect(error.code).to.equal('LINK_IGNORED');
    expect(error.message).to.equal('a: eth0: promiscuous on: accepted, but it reads back as false');
    expect(error.evidence).to.equal('$ true\n$ ip -j -d address show dev eth0');
  });

  describe('that the kernel refuses tell why:', () => {
    const cases: [string, () => Change | Change[], Partial<LinkError>][] = [
      [
        'an unknown kind of link',
        () => raw('ip link add x type nosuchtype'),
        { code: 'LINK_UNSUPPORTED', errno: undefined },
      ],
      [
        'an unknown mode',
        () => raw('ip link add x link eth0 type macvlan mode nosuch'),
        { code: 'LINK_UNSUPPORTED', errno: undefined },
      ],
      ['an unknown option', () => raw('ip link add x link eth0 type macvlan nosuch'), { code: 'LINK_UNSUPPORTED' }],
      ['a namespace that is not there', () => raw('ip link set mac0 netns nosuch'), { code: 'LINK_REFUSED' }],
      [
        'a flag of what is no switch port',
        () => setBridgePortFlag(a, 'eth0', 'hairpin', true),
        { code: 'LINK_UNSUPPORTED', errno: 'EOPNOTSUPP' },
      ],
      [
        'a macvlan on a switch port',
        () => addMacvlan(b, { name: 'x', parent: 'p0', mode: 'bridge' }),
        { code: 'LINK_REFUSED', errno: 'EBUSY' },
      ],
      [
        'passthru beside another macvlan',
        () => addMacvlan(a, { name: 'x', parent: 'eth0', mode: 'passthru' }),
        { code: 'LINK_REFUSED', errno: 'EINVAL' },
      ],
      ['a change to passthru', () => setMacvlanMode(a, 'mac0', 'passthru'), { code: 'LINK_REFUSED', errno: 'EINVAL' }],
      [
        'a name that is taken',
        () => addMacvlan(a, { name: 'mac0', parent: 'eth0' }),
        { code: 'LINK_REFUSED', errno: 'EEXIST' },
      ],
      [
        // refused only while the link is up (macvlan.c, macvlan_set_mac_address)
        'a MAC that the parent has',
        () => [setUp(a, 'mac0', true), setMac(a, 'mac0', '02:00:00:00:00:0a')],
        { code: 'LINK_REFUSED', errno: 'EADDRINUSE' },
      ],
      [
        'a MAC that is no unicast address',
        () => setMac(a, 'mac0', 'ff:ff:ff:ff:ff:ff'),
        { code: 'LINK_REFUSED', errno: 'EADDRNOTAVAIL' },
      ],
      [
        'a route that is there',
        () => addRoute(a, { to: '10.0.0.0/24', device: 'eth0' }),
        { code: 'LINK_REFUSED', errno: 'EEXIST' },
      ],
      ['an address that is there', () => addAddress(a, 'eth0', '10.0.0.1/24'), { code: 'LINK_REFUSED' }],
      ['an IPv6 address that is there', () => addAddress(a, 'eth0', '2001:db8::1/64'), { code: 'LINK_REFUSED' }],
      ['a device that is not there', () => setUp(a, 'nosuch', true), { code: 'LINK_REFUSED' }],
    ];
    const raw = (line: string): Change => ({
      stack: sandbox.stack(),
      what: line,
      command: ['ip', '-n', 'a', ...line.split(' ').slice(1)],
    });
    for (const [what, change, expected] of cases) {
      it(what, async () => {
        const error = await refusalOf(apply([change()].flat(), scope));
        expect(error).to.include(expected);
        expect(error.message).to.contain(error.stderr.split('\n')[0]);
        expect(error.evidence).to.contain('$ ');
      });
    }
  });

  it('need a link to read', async () => {
    expect((await refusalOf(readLink(a, 'nosuch'))).stderr).to.equal('Device "nosuch" does not exist.');
    expect((await refusalOf(readLinks(sandbox.stack('nosuch')))).stderr).to.contain('No such file or directory');
  });

  it('leave neighbours to be forgotten', async () => {
    await apply([addNeighbour(a, 'eth0', '10.0.0.50', '02:00:00:00:00:aa')], scope);
    await a.run(
      ['ip', 'neighbour', 'replace', '10.0.0.2', 'lladdr', '02:00:00:00:00:bb', 'nud', 'stale', 'dev', 'eth0'],
      'change',
    );
    expect((await readNeighbours(a)).map(({ address }) => address)).to.include.members(['10.0.0.2', '10.0.0.50']);
    await flushNeighbours([{ stack: a }]);
    expect((await readNeighbours(a)).map(({ address }) => address))
      .to.include('10.0.0.50')
      .and.not.to.include('10.0.0.2');
  });
});
