import { expect } from 'chai';
import { probedFeatures } from './feature-list.js';
import { type FeatureAnswer, probeFeatures } from './feature-probe.js';
import { whyNot } from './features.js';
import { Lab } from '../lab.js';
import { sandboxDriver } from '../../machine/sandbox/sandbox.js';
import { skipWithoutRoot } from '../../machine/sandbox/sandbox.test-support.js';

describe('the list of features', () => {
  it('has each name once', () => {
    const names = probedFeatures.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).to.deep.equal([]);
  });

  it('has no two of them show in the same place, so that none can be taken for another', () => {
    const places = probedFeatures.map(({ shows: [link, at] }) => `${link} ${at}`);
    expect(places.filter((place, index) => places.indexOf(place) !== index)).to.deep.equal([]);
  });

  it('gives the kernel names that it takes', () => {
    const links = probedFeatures.flatMap(({ command, given }) =>
      [command, ...given].map((line) => / name (\S+)/.exec(line)),
    );
    for (const [, name = ''] of links.filter((match) => match !== null)) expect(name).to.have.length.below(16);
  });
});

/** For any kernel: the features that all supported kernels (5.10 and newer) have, and the features that must agree. */
describe('probing features (needs root)', function () {
  let lab: Lab;
  let answers: Map<string, FeatureAnswer>;
  let logged: number;
  let asBefore: unknown;

  /** The links and namespaces on the machine. */
  const state = async () => {
    const { node1, node2 } = lab;
    const run = async (...argv: string[]) => (await node1.stack.session.run(argv)).stdout;
    const links = (await Promise.all([node1.links(), node2.links()])).flat();
    const plain = links.map(({ ifname, flags, master, promiscuity }) => ({ ifname, flags, master, promiscuity }));
    return { plain, namespaces: await run('ip', 'netns', 'list') };
  };

  before(async function () {
    skipWithoutRoot(this);
    lab = await Lab.open(sandboxDriver);
    asBefore = await state();
    const mark = lab.log.mark();
    answers = new Map((await probeFeatures(lab)).map((answer) => [answer.name, answer]));
    logged = lab.log.mark() - mark;
  });
  after(() => lab?.close());

  const stateOf = (name: string) => answers.get(name)?.state;

  it('answers for each, in one line', () => {
    expect([...answers.keys()]).to.deep.equal(probedFeatures.map(({ name }) => name));
    for (const { name, words, state } of answers.values()) {
      expect(words, name).to.match(/^\S.*$/);
      expect(state, name).to.be.oneOf(['supported', 'refused', 'ignored', 'unknown']);
    }
  });

  it('leaves nothing behind, and nothing in the lab’s log', async () => {
    expect(await state()).to.deep.equal(asBefore);
    expect(logged).to.equal(0);
  });

  it('can be repeated, with the same answers', async () => {
    expect(await probeFeatures(lab)).to.deep.equal([...answers.values()]);
  });

  for (const name of ['private', 'vepa', 'bridge', 'passthru', 'source']) {
    it(`finds mode ${name}`, () => {
      expect(answers.get(`mode ${name}`)).to.include({ state: 'supported', words: `reads back as ${name}` });
    });
  }

  for (const name of [
    ...['nopromisc', 'nodst', 'macaddr add', 'macaddr del', 'macaddr set', 'macaddr flush', 'bridge to vepa'],
    ...['hairpin', 'isolated', 'learning off', 'flood off', 'mcast_flood off', 'bcast_flood off', 'proxy_arp'],
    ...['MAC address', 'MAC address of a passthru child, for both', 'on a bridge'],
  ]) {
    it(`finds ${name}`, () => expect(answers.get(name)).to.include({ state: 'supported' }));
  }

  for (const [name, words] of [
    ['bridge to passthru', 'Invalid argument (EINVAL)'],
    ['passthru to bridge', 'Invalid argument (EINVAL)'],
    ['macaddr outside mode source', 'Invalid argument (EINVAL)'],
    ['second child beside a passthru one', 'Invalid argument (EINVAL)'],
    ['passthru beside another child', 'Invalid argument (EINVAL)'],
    ['MAC address of the parent, while up', 'Address already in use (EADDRINUSE)'],
    ['on a bridge’s port', 'Device or resource busy (EBUSY)'],
    ['parent as a bridge’s port', 'Device or resource busy (EBUSY)'],
    ['hwmode vepa', 'Operation not supported (EOPNOTSUPP)'],
  ] as const) {
    it(`finds that this is refused: ${name}`, () => {
      expect(answers.get(name)).to.deep.include({ state: 'refused', words });
    });
  }

  it('agrees with what suites find out about the lab itself', async () => {
    expect(stateOf('802.1Q') === 'supported').to.equal((await whyNot(lab, 'vlan')) === undefined);
    expect(stateOf('IPv6 address') === 'supported').to.equal((await whyNot(lab, 'ipv6')) === undefined);
    const filters = (await whyNot(lab, 'bridge vlan filtering')) === undefined;
    expect(stateOf('vlan_filtering 1') === 'supported').to.equal(filters);
    // A kernel that was built without it accepts the VLAN setting, and ignores it (br_netlink.c, br_changelink).
    expect(stateOf('vlan_default_pvid 7')).to.equal(filters ? 'supported' : 'ignored');
    expect(stateOf('VLAN, tagged')).to.equal(filters ? 'supported' : 'refused');
  });
});
