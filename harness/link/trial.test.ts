import { expect } from 'chai';
import { skipWithoutRoot, TestSandbox } from '../machine/sandbox/sandbox.test-support.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { LinkError } from './errno.js';
import { performLines, readComplaints } from './lines.js';
import { parseLinks } from './link-info.js';
import { type Trial, tryAll } from './trial.js';

const words = (line: string) => line.split(' ');

describe('trials of what a kernel does (needs root)', function () {
  let sandbox: TestSandbox;
  let stack: NetworkStack;

  before(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open('here');
    stack = sandbox.stack('here');
    await sandbox.ip('-n here link add v type veth peer name w', '-n here link add name sw0 type bridge');
  });
  after(() => sandbox?.close());

  /** A trial that shows in a link's own data. */
  const trial = (line: string, link: string, key: string, expected: unknown, given: string[] = []): Trial => ({
    given: given.map(words),
    command: words(line),
    read: ['ip', '-j', '-d', 'address', 'show'],
    value: (output) => parseLinks(output).find(({ ifname }) => ifname === link)?.linkinfo?.info_data?.[key],
    expected,
  });
  const answers = (...trials: Trial[]) => tryAll(stack, trials);
  const macvlan = (name: string, more = '') => `ip link add link v name ${name} type macvlan mode bridge${more}`;

  it('tell what is supported, with what is read back', async () => {
    const [mode, source] = await answers(
      trial(macvlan('a1'), 'a1', 'mode', 'bridge'),
      trial('ip link set dev a2 type macvlan mode source', 'a2', 'mode', 'source', [macvlan('a2')]),
    );
    expect(mode).to.deep.equal({ state: 'supported', words: 'reads back as bridge' });
    expect(source).to.deep.equal({ state: 'supported', words: 'reads back as source' });
  });

  it('tell what is refused, in the kernel’s words: an errno’s, or its own', async () => {
    const [errno, own] = await answers(
      trial('ip link set dev b1 type macvlan mode passthru', 'b1', 'mode', 'passthru', [macvlan('b1')]),
      trial('ip link add b2 type nosuchtype', 'b2', 'mode', ''),
    );
    expect(errno).to.deep.equal({ state: 'refused', words: 'Invalid argument (EINVAL)' });
    expect(own).to.deep.equal({ state: 'refused', words: 'Unknown device type.' });
  });

  it('tell what is accepted and ignored: a bridge’s hash chains have not had a length of their own since Linux 5.0', async () => {
    const set = 'ip link set dev sw0 type bridge mcast_hash_elasticity 8';
    expect(
      await answers(trial(set, 'sw0', 'mcast_hash_elasticity', 8), trial(set, 'sw0', 'nosuchkey', 8)),
    ).to.deep.equal([
      { state: 'ignored', words: 'accepted, but reads back as 16' },
      { state: 'ignored', words: 'accepted, but nothing of it is read back' },
    ]);
  });

  it('do not take iproute2, which does not know a word, for the kernel; what is behind it is tried as well', async () => {
    const [option, value, port, behind] = await answers(
      trial(macvlan('c1', ' nosuchword 1'), 'c1', 'mode', 'bridge'),
      trial('ip link set dev v mtu many', 'v', 'mode', ''),
      trial('bridge link set dev w nosuchword on', 'w', 'mode', ''),
      trial(macvlan('c2'), 'c2', 'mode', 'bridge'),
    );
    expect(option?.state).to.equal('unknown');
    expect(option?.words).to.match(/^the kernel was not asked: .*unknown option "nosuchword"/);
    expect(value?.words).to.match(/^the kernel was not asked: .*argument "many" is wrong/);
    expect(port?.words).to.match(/^the kernel was not asked: iproute2 prints its usage/);
    expect(behind).to.deep.equal({ state: 'supported', words: 'reads back as bridge' });
  });

  it('say so when something is missing that they need, or a program, or nothing would change', async () => {
    const nosuch = 'ip link add d0 type nosuchtype';
    const [needy, same, programless, unread] = await answers(
      trial(macvlan('d1'), 'd1', 'mode', 'bridge', [nosuch]),
      trial('ip link set dev d2 type macvlan mode bridge', 'd2', 'mode', 'bridge', [macvlan('d2')]),
      trial('nosuchprogram d3', 'd3', 'mode', ''),
      { ...trial(macvlan('d4'), 'd4', 'mode', 'bridge'), read: ['ip', '-j', 'link', 'show', 'dev', 'nosuch'] },
    );
    expect(needy).to.deep.equal({ state: 'unknown', words: `not tried: ${nosuch}: Unknown device type.` });
    expect(same).to.deep.equal({ state: 'unknown', words: 'it was so before: bridge' });
    expect(programless?.state).to.equal('unknown');
    expect(programless?.words).to.match(/^the kernel was not asked: .*nosuchprogram/);
    expect(unread).to.deep.equal({
      ...{ state: 'unknown', words: 'accepted, but it cannot be read back: Device "nosuch" does not exist.' },
    });
  });

  it('start few programs: those of one kind are performed together', async () => {
    const mark = sandbox.log.mark();
    const names = ['e1', 'e2', 'e3', 'e4'];
    await answers(...names.map((name) => trial(macvlan(name), name, 'mode', 'bridge', ['ip link set dev v up'])));
    expect(sandbox.log.between(mark).map(({ argv }) => argv.join(' '))).to.deep.equal(
      Array.from({ length: 2 }, () => 'ip -force -batch -'),
    );
  });
});

describe('command lines performed by one process', () => {
  const ended = (stderr: string, status = 1) => ({ stderr, status, signal: null });
  const unknown = 'Object "milestone" is unknown, try "ip help".\n';

  it('tell which of them failed, and what was said of it', () => {
    const stderr =
      `${unknown}Command failed -:2\n` +
      `RTNETLINK answers: File exists\nCommand failed -:3\n${unknown}Command failed -:4\n` +
      `Warning: as the kernel says of what it does.\n${unknown}Command failed -:6\n`;
    expect(readComplaints(ended(stderr), 3)).to.deep.equal([undefined, 'RTNETLINK answers: File exists', undefined]);
  });

  it('tell which of them ended the process', () => {
    const stderr = `${unknown}Command failed -:2\nError: argument "x" is wrong: no number\n`;
    expect(readComplaints(ended(stderr, 255), 3)).to.deep.equal([undefined, 'Error: argument "x" is wrong: no number']);
    expect(readComplaints(ended(`${unknown}Command failed -:2\n`, 139), 3)).to.deep.equal([
      undefined,
      'it ended with status 139',
    ]);
  });

  it('need a program', async function () {
    skipWithoutRoot(this);
    const sandbox = await TestSandbox.open('here');
    try {
      const complaints = await performLines(sandbox.stack('here'), 'nosuchprogram', [['a'], ['b']]);
      expect(complaints).to.have.lengthOf(2);
      for (const complaint of complaints) expect(complaint).to.contain('nosuchprogram');
    } finally {
      await sandbox.close();
    }
  });
});

describe('the words of a refusal', () => {
  for (const [said, kernels] of [
    ['RTNETLINK answers: Invalid argument\n', 'Invalid argument'],
    ['Error: Protodown not supported by device.\n', 'Protodown not supported by device.'],
    ['Error: 8021q: VLAN device already exists.\n', '8021q: VLAN device already exists.'],
    ['Warning: something.\nRTNETLINK answers: Operation not supported\n', 'Operation not supported'],
    ['Error: argument "many" is wrong: Invalid "mtu" value\n\n', undefined],
    ['Error: either "dev" is duplicate, or "nosuch" is a garbage.\n', undefined],
    ['Error: duplicate "vid": "5" is the second value.\n', undefined],
    ['Error: an inet prefix is expected rather than "x".\n', undefined],
    ['Error: inet6 prefix is expected rather than "x".\n', undefined],
    ['macvlan: unknown option "bclim"?\nUsage: ... macvlan mode MODE\n', undefined],
    ['Usage: bridge link set dev DEV [ cost COST ]\n', undefined],
    ['Cannot find device "v"\n', undefined],
    ['sh: 1: exec: bridge: not found\n', undefined],
  ] as const) {
    it(`${said.split('\n')[0]}: ${kernels ? 'the kernel’s' : 'iproute2’s'}`, () => {
      expect(new LinkError('it', ['ip'], said).kernelMessage).to.equal(kernels);
    });
  }

  it('of an iproute2 that prints its usage are no refusal', () => {
    expect(new LinkError('it', ['bridge'], 'Usage: bridge link set dev DEV\n').code).to.equal('LINK_UNSUPPORTED');
  });
});
