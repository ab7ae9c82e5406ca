import { expect } from 'chai';
import fc from 'fast-check';
import { NetworkStack } from '../remote/network-stack.js';
import { MacvlabError } from '../core/error.js';
import { addressesOf } from './address.js';
import { errnoIn, LinkError } from './errno.js';
import { skipWithoutRoot, TestSandbox } from '../machine/sandbox/sandbox.test-support.js';
import { macvlanMode, parseLink, parseLinks, readLink, readLinks } from './link-info.js';

/** `ip -j -d address show dev m1` of a macvlan, as iproute2 6.1 prints it on Linux 6.18. */
const macvlan = `[{"ifindex":3,"link":"eth0","ifname":"m1","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"96:82:ba:32:20:51","broadcast":"ff:ff:ff:ff:ff:ff","promiscuity":0,"allmulti":0,"min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"macvlan","info_data":{"mode":"bridge","bcqueuelen":1000,"usedbcqueuelen":1000}},"num_tx_queues":1,"num_rx_queues":1,"gso_max_size":65536,"gso_max_segs":65535,"tso_max_size":524280,"tso_max_segs":65535,"gro_max_size":65536,"addr_info":[{"family":"inet","local":"10.0.0.3","prefixlen":24,"scope":"global","label":"m1","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"2001:db8::3","prefixlen":64,"scope":"global","nodad":true,"valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fe80::9482:baff:fe32:2051","prefixlen":64,"scope":"link","valid_life_time":4294967295,"preferred_life_time":4294967295}]}]\n`;

/** The code of the reading error; undefined when there is none. */
function codeOf(output: string): string | undefined {
  try {
    parseLinks(output);
    return undefined;
  } catch (error) {
    if (error instanceof MacvlabError) return error.code;
    throw error;
  }
}

describe('links of a machine (needs root)', () => {
  let sandbox: TestSandbox;

  before(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open();
  });
  after(() => sandbox?.close());

  it('are an error where ip prints something else than JSON, or half of it', async () => {
    expect((await readLinks(sandbox.stack())).map(({ ifname }) => ifname)).to.deep.equal(['lo']);
    const withoutJson = 'for word; do shift; [ "$word" = -j ] || set -- "$@" "$word"; done; exec $real "$@"';
    for (const script of [withoutJson, `$real "$@" 2>&1 | sed -u 's/^\\(.\\{100\\}\\).*/\\1/'`]) {
      await sandbox.replace('ip', script);
      // A session's ip is not replaced while it runs.
      const stack = new NetworkStack('machine', await sandbox.connect('machine'), sandbox.log);
      for (const read of [() => readLinks(stack), () => readLink(stack, 'lo')]) {
        const error = await read().catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'LINK_UNREADABLE', exit: 3 });
        expect((error as MacvlabError).evidence).to.match(/\blo\b/);
      }
    }
  });
});

describe('links as ip prints them', () => {
  it('are read, with all that is printed', () => {
    const link = parseLink(macvlan)!;
    expect(link).to.include({
      ifname: 'm1',
      link: 'eth0',
      mtu: 1500,
      operstate: 'UP',
      promiscuity: 0,
      num_tx_queues: 1,
    });
    expect(macvlanMode(link)).to.equal('bridge');
    expect(addressesOf(link)).to.deep.equal(['10.0.0.3/24', '2001:db8::3/64']);
  });

  it('may be none', () => {
    for (const output of ['', '\n', '[]', '[{}]', '[{},{}]\n']) expect(parseLinks(output), output).to.deep.equal([]);
    expect(parseLink('')).to.equal(undefined);
    expect(macvlanMode(undefined)).to.equal(undefined);
    expect(addressesOf(undefined)).to.deep.equal([]);
  });

  it('have a mode only when they are macvlans or macvtaps', () => {
    const of = (info_kind: string) =>
      macvlanMode({ ...parseLink(macvlan)!, linkinfo: { info_kind, info_data: { mode: 'l2' } } });
    expect([of('macvtap'), of('ipvlan')]).to.deep.equal(['l2', undefined]);
  });

  it('stand beside empty objects for links that a filter left out', () => {
    expect(parseLinks(macvlan.replace('[{', '[{},{')).map(({ ifname }) => ifname)).to.deep.equal(['m1']);
  });

  it('are an error when they cannot be read, with what was printed', () => {
    for (const output of ['not JSON', '{', 'null', '3', '"x"', '{}', '[1]', '[null]', '[{"ifname":"x"}]', '[[1]]'])
      expect(codeOf(output), output).to.equal('LINK_UNREADABLE');
    expect(() => parseLinks(macvlan.slice(0, 300)))
      .to.throw(MacvlabError)
      .with.property('evidence', macvlan.slice(0, 300));
  });

  it('never crash the reader, whatever is printed', () => {
    const cut = fc.nat(macvlan.length).map((length) => macvlan.slice(0, length));
    const changed = fc
      .tuple(fc.nat(macvlan.length), fc.string({ maxLength: 3 }))
      .map(([at, text]) => macvlan.slice(0, at) + text + macvlan.slice(at + text.length));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.array(fc.object()).map((value) => JSON.stringify(value)),
          cut,
          changed,
        ),
        (output) => {
          expect(codeOf(output)).to.be.oneOf([undefined, 'LINK_UNREADABLE']);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('what the kernel says', () => {
  it('is told by its errno, where one is named', () => {
    expect(errnoIn('RTNETLINK answers: Device or resource busy\n')).to.equal('EBUSY');
    expect(errnoIn('RTNETLINK answers: Numerical result out of range')).to.equal('ERANGE');
    expect(errnoIn('Error: ipv4: Address already assigned.\n')).to.equal(undefined);
    expect(errnoIn('')).to.equal(undefined);
  });

  it('makes an error that shows command and words', () => {
    const error = new LinkError('node1: add mac1', ['ip', 'link', 'add'], 'Error: one.\nError: two.\n');
    expect(error.message).to.equal('node1: add mac1: Error: one.; Error: two.');
    expect(error.evidence).to.equal('$ ip link add\nError: one.\nError: two.');
    expect(error.code).to.equal('LINK_REFUSED');
  });
});
