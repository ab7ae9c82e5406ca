import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { timeout, poll } from '../core/wait.js';
import { skipWithoutRoot, TestSandbox } from '../machine/sandbox/sandbox.test-support.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { CapturePoint, isAfter, mark, seen } from './capture-point.js';
import { Capture, parseCounters } from './capture.js';
import type { Frame } from './protocol/frame.js';
import { arpReply, arpRequest, echoReply, echoRequest } from './pattern.js';

async function errorOf(work: () => unknown): Promise<MacvlabError> {
  try {
    await work();
  } catch (error) {
    expect(error).to.be.instanceOf(MacvlabError);
    return error as MacvlabError;
  }
  return expect.fail('it did not fail');
}

describe('tcpdump’s counters', () => {
  it('are read on one line and on three', () => {
    const expected = { captured: 1, received: 23, dropped: 4 };
    for (const words of [
      'tcpdump: 1 packet captured, 23 packets received by filter, 4 packets dropped by kernel\n',
      '\n1 packet captured\n23 packets received by filter\n4 packets dropped by kernel\n',
    ])
      expect(parseCounters(words)).to.deep.equal(expected);
    expect(parseCounters('1 packet captured\n23 packets received by')).to.equal(undefined);
    expect(parseCounters('')).to.equal(undefined);
  });

  it('are none when they are beyond all numbers', () => {
    const nines = '9'.repeat(400);
    const words = `${nines} packets captured, 23 packets received by filter, 4 packets dropped by kernel\n`;
    expect(parseCounters(words)).to.equal(undefined);
  });
});

describe('a capture (needs root)', function () {
  let sandbox: TestSandbox;
  let a: NetworkStack;
  let b: NetworkStack;
  const open: Capture[] = [];

  before(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open('a', 'b');
    await sandbox.cable('a', 'b');
    [a, b] = [sandbox.stack('a'), sandbox.stack('b')];
    for (const namespace of ['a', 'b']) {
      // no frames except those of a test
      await sandbox.ip(`-n ${namespace} link set eth0 addrgenmode none`, `-n ${namespace} -6 address flush dev eth0`);
    }
    await poll(async () => (await send()) || undefined, { what: 'the cable to carry', deadline: 5000 });
  });
  after(() => sandbox?.close());
  afterEach(() => {
    for (const capture of open.splice(0)) capture.close();
  });

  async function listen(stack: NetworkStack, options: { device?: string; direction?: 'in' | 'out' } = {}) {
    const name = `${stack.name}/eth0${options.direction ? ` ${options.direction}` : ''}`;
    const capture = await Capture.open({ name, stack, device: 'eth0', ...options });
    open.push(capture);
    return capture;
  }

  /** Sends echo requests from a to b, and returns whether all were answered. */
  async function send(count = 1, size = 56): Promise<boolean> {
    const argv = ['ping', '-n', '-q', '-c', String(count), '-i', '0.002', '-W', '1', '-s', String(size), '10.0.0.2'];
    return (await a.run(argv, 'probe')).status === 0;
  }

  const kindOf = (frame: Frame) =>
    Object.entries({
      'ARP request': arpRequest(),
      'ARP reply': arpReply(),
      request: echoRequest(),
      reply: echoReply(),
    }).find(([, pattern]) => pattern.matches(frame))?.[0];

  const kinds = (frames: readonly Frame[]) => frames.map(kindOf);

  /** The first frames of pings and their ARP. A kernel also sends frames of its own, such as IPv6 listener reports. */
  const arrived = (capture: Capture, count: number) => {
    const ours = () => capture.sightings.map(({ frame }) => frame).filter((frame) => kindOf(frame) !== undefined);
    return capture.changes.until(() => (ours().length >= count ? ours() : undefined), {
      what: `${count} frames`,
      deadline: timeout(3000),
      evidence: () => `${capture.sightings.length} frames`,
    });
  };

  it('shows the frames of a ping, decoded and in order', async () => {
    const [here, there] = [await listen(a), await listen(b)];
    await sandbox.ip('-n a neighbour flush all', '-n b neighbour flush all');
    const since = mark();
    await send();
    for (const capture of [here, there]) {
      const frames = await arrived(capture, 4);
      expect(kinds(frames.slice(0, 4)), capture.name).to.deep.equal(['ARP request', 'ARP reply', 'request', 'reply']);
      const sightings = capture.sightings.filter(({ frame }) => kindOf(frame) !== undefined);
      expect(sightings.every((sighting) => isAfter(sighting, since) && sighting.at === capture.name)).to.equal(true);
      const times = frames.map(({ time }) => time);
      expect(times).to.deep.equal([...times].sort((x, y) => x - y));
    }
    const orders = [...here.sightings, ...there.sightings].map(({ order }) => order);
    expect(new Set(orders).size).to.equal(orders.length);
  });

  it('sees the very first frame after it says that it listens', async () => {
    for (let round = 0; round < 5; round++) {
      const capture = await listen(b);
      await send();
      expect(kinds(await arrived(capture, 2))).to.include.members(['request', 'reply']);
      capture.close();
    }
  });

  it('shows only frames of its direction', async () => {
    const [into, out] = await Promise.all([listen(b, { direction: 'in' }), listen(b, { direction: 'out' })]);
    await send(3);
    const [requests, replies] = [await arrived(into, 3), await arrived(out, 3)];
    expect(kinds(requests).filter((kind) => !kind?.startsWith('ARP'))).to.deep.equal(['request', 'request', 'request']);
    expect(kinds(replies).filter((kind) => !kind?.startsWith('ARP'))).to.deep.equal(['reply', 'reply', 'reply']);
  });

  it('counts', async () => {
    const capture = await listen(b);
    expect(await capture.counters()).to.deep.equal({ captured: 0, received: 0, dropped: 0 });
    await send(5);
    await arrived(capture, 10);
    const { captured, received, dropped } = await capture.counters();
    expect([captured, received, dropped]).to.deep.equal([capture.sightings.length, capture.sightings.length, 0]);
    await capture.refuseDrops();
    const both = await Promise.all([capture.counters(), capture.counters()]);
    expect(both.map((counters) => counters.captured)).to.deep.equal([captured, captured]);
  });

  it('keeps no more of tcpdump’s words than are of use, however often it is asked', async () => {
    const capture = await listen(b);
    await send(1);
    await arrived(capture, 2);
    const asked = 220;
    for (let count = 1; count < asked; count += 1) await capture.counters();
    const last = await capture.counters();
    expect(last.captured).to.equal(capture.sightings.length);
    // All lines together exceed this: each answer is a line of 85 characters.
    const kill = 'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != tcpdump ] || kill -KILL ${p#/proc/}; done';
    await sandbox.machine.run(['sh', '-c', kill]);
    const error = await errorOf(() => capture.changes.until(() => undefined, { what: 'x', deadline: 5000 }));
    expect(error.code).to.equal('CAPTURE_ENDED');
    expect(error.evidence?.length).to.be.within(10_000, 16_384);
  });

  it('keeps a file that tcpdump reads back, frame by frame', async () => {
    const capture = await listen(b);
    expect(capture.pcap()).to.equal(undefined);
    await send(20, 1400);
    await arrived(capture, 40);
    const count = capture.sightings.length;
    const read = spawnSync('tcpdump', ['-n', '-r', '-'], { input: capture.pcap(), encoding: 'utf8' });
    expect(read.status, read.stderr).to.equal(0);
    const lines = read.stdout.trim().split('\n');
    expect(lines).to.have.lengthOf(count);
    expect(lines.filter((line) => line.includes('ICMP echo re'))).to.have.lengthOf(40);
    capture.forget();
    expect([capture.pcap(), capture.sightings.length]).to.deep.equal([undefined, 0]);
    await send();
    await arrived(capture, 2);
    const rest = spawnSync('tcpdump', ['-n', '-r', '-'], { input: capture.pcap(), encoding: 'utf8' });
    expect(rest.stdout.trim().split('\n'), rest.stderr).to.have.lengthOf(capture.sightings.length);
  });

  it('keeps the headers of frames that are longer than what is kept', async () => {
    await sandbox.ip('-n a link set eth0 mtu 9000', '-n b link set eth0 mtu 9000');
    const capture = await listen(b);
    expect(await send(1, 8000)).to.equal(true);
    const frames = await arrived(capture, 2);
    expect(kinds(frames)).to.include.members(['request', 'reply']);
  });

  it('reports frames that the kernel had to drop, once', async () => {
    const capture = await listen(b);
    const { stdout } = await sandbox.machine.run([
      'sh',
      '-c',
      'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = tcpdump ] && echo ${p#/proc/}; done',
    ]);
    const pids = stdout.trim().split('\n');
    const newest = String(Math.max(...pids.map(Number)));
    await sandbox.machine.run(['kill', '-STOP', newest]);
    await a.run(['ping', '-n', '-q', '-f', '-c', '3000', '10.0.0.2'], 'probe');
    await sandbox.machine.run(['kill', '-CONT', newest]);
    const error = await errorOf(() => capture.refuseDrops());
    expect(error.code).to.equal('CAPTURE_DROPPED');
    const lost = Number(/tcpdump on b\/eth0 lost (\d+) frames/.exec(error.message)?.[1]);
    expect(lost).to.be.within(1000, 6000);
    const { captured, dropped } = await capture.counters();
    expect(dropped).to.equal(lost);
    expect(captured + dropped).to.be.at.least(6000);
    await capture.refuseDrops();
  });

  it('ends when it is told to, without a failure', async () => {
    const capture = await listen(b);
    await send();
    await arrived(capture, 2);
    capture.close();
    capture.close();
    expect(capture.sightings.length).to.be.at.least(2);
    await poll(async () => ((await tcpdumps()) === 0 ? true : undefined), { what: 'tcpdump to end', deadline: 2000 });
    expect(capture.sightings.length).to.be.at.least(2);
  });

  it('is closed while its counters are awaited: that wait ends at once', async () => {
    const capture = await listen(b);
    const { stdout } = await sandbox.machine.run([
      'sh',
      '-c',
      'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != tcpdump ] || echo ${p#/proc/}; done',
    ]);
    const pids = stdout.trim().split('\n');
    await sandbox.machine.run(['kill', '-STOP', ...pids]);
    const began = performance.now();
    const counters = errorOf(() => capture.counters());
    capture.close();
    expect((await counters).code).to.equal('CAPTURE_ENDED');
    expect(performance.now() - began).to.be.below(timeout(5000));
    await sandbox.machine.run(['kill', '-KILL', ...pids]);
  });

  it('does not begin where there is no interface, and says so in tcpdump’s words', async () => {
    const error = await errorOf(() => listen(b, { device: 'nosuch' }));
    expect(error.code).to.equal('CAPTURE_START');
    expect(error.message).to.match(/^tcpdump does not listen on b\/eth0: .*tcpdump ended with status 1$/);
    expect(error.evidence).to.contain('nosuch: No such device');
    const nowhere = await errorOf(() => listen(sandbox.stack('nosuch')));
    expect(nowhere.code).to.equal('CAPTURE_START');
    expect(nowhere.evidence).to.contain('/run/netns/nosuch');
  });

  describe('that is lost', () => {
    /** Opens a capture on a separate device, and runs an action that ends it. */
    async function lose(what: (capture: Capture) => unknown): Promise<MacvlabError[]> {
      await sandbox.ip('-n b link add lost type veth peer name peer', '-n b link set lost up', '-n b link set peer up');
      const capture = await listen(b, { device: 'lost' });
      const waiting = errorOf(() => capture.changes.until(() => undefined, { what: 'x', deadline: 5000 }));
      await what(capture);
      const errors = [await waiting, await errorOf(() => capture.sightings), await errorOf(() => capture.counters())];
      for (const { code, message } of errors) {
        expect(code).to.equal('CAPTURE_ENDED');
        expect(message).to.match(/^the capture on b\/eth0 ended: /);
      }
      capture.close();
      return errors;
    }

    it('says that its interface went down, or sees what comes when it is up again', async () => {
      // libpcap 1.10 continues, because it distinguishes an interface that is down from one that is gone; older
      // versions end
      await sandbox.ip('-n b link add lost type veth peer name peer', '-n b link set lost up', '-n b link set peer up');
      const capture = await listen(b, { device: 'lost' });
      await sandbox.ip('-n b link set lost down', '-n b link set lost up');
      const count = () => capture.sightings.length;
      const known = count();
      // the kernel's own reports to its neighbours when a link comes up (RFC 3810, 5.2)
      const more = capture.changes.until(() => count() > known || undefined, { what: 'frames', deadline: 3000 });
      const error = await more.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error) expect(error).to.have.property('evidence').that.contains('The interface went down');
      await sandbox.ip('-n b link delete lost');
    });

    it('says that its interface disappeared', async () => {
      for (const error of await lose(() => sandbox.ip('-n b link delete lost')))
        expect(error.evidence).to.match(/The interface (disappeared|went down)/);
    });

    it('says that tcpdump was killed', async () => {
      const kill = 'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = tcpdump ] && kill -KILL ${p#/proc/}; done';
      for (const error of await lose(() => sandbox.machine.run(['sh', '-c', kill])))
        expect(error.message).to.contain('tcpdump ended with KILL');
      await sandbox.ip('-n b link delete lost');
    });

    it('says that its machine is gone', async () => {
      const other = await TestSandbox.open('a', 'b');
      await other.cable('a', 'b');
      const capture = await Capture.open({ name: 'other', stack: other.stack('a'), device: 'eth0' });
      const waiting = errorOf(() => capture.changes.until(() => undefined, { what: 'x', deadline: 5000 }));
      process.kill(other.init.pid, 'SIGKILL');
      expect((await waiting).message).to.contain('the SSH session with machine is gone');
      await other.close();
    });
  });

  describe('point', () => {
    it('shows both directions apart, and both together by time', async () => {
      const point = new CapturePoint(b, 'eth0', ['in', 'out']);
      expect((await errorOf(() => point.captures)).code).to.equal('CAPTURE_ENDED');
      await point.open();
      const since = mark();
      await send(2);
      for (const capture of point.captures) await arrived(capture, 2);
      const plain = (view: typeof point.in) =>
        kinds(seen(view, since).map(({ frame }) => frame)).filter((kind) => kind?.startsWith('re'));
      expect(plain(point.in)).to.deep.equal(['request', 'request']);
      expect(plain(point.out)).to.deep.equal(['reply', 'reply']);
      expect(plain(point)).to.deep.equal(['request', 'reply', 'request', 'reply']);
      expect(seen(point, mark())).to.deep.equal([]);
      point.close();
      expect(point.isOpen).to.equal(false);
      expect((await errorOf(() => seen(point, since))).message).to.equal('nobody listens on b/eth0');
    });

    it('without directions refuses to tell them apart', () => {
      expect(() => new CapturePoint(b, 'eth0').in).to.throw(TypeError, 'b/eth0 is not captured by direction');
    });
  });

  async function tcpdumps(): Promise<number> {
    const count = 'n=0; for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = tcpdump ] && n=$((n+1)); done; echo $n';
    return Number((await sandbox.machine.run(['sh', '-c', count])).stdout);
  }
});
