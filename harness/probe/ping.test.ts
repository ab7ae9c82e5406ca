import { expect } from 'chai';
import fc from 'fast-check';
import { MacvlabError } from '../core/error.js';
import { timeout, poll } from '../core/wait.js';
import { readNeighbours } from '../link/neighbour.js';
import { skipWithoutRoot, TestSandbox } from '../machine/sandbox/sandbox.test-support.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { parsePing, ping, startPing } from './ping.js';

/** ping's output (iputils 20221126) to a neighbour that answers once, twice and with a broken payload. */
const corrupted = `PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.
64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.045 ms
64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.061 ms (DUP!)
64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=0.050 ms
wrong data byte #40 should be 0x28 but was 0x29
#16	10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 20 21 22 23 24 25 26 27 29 29 2a 2b 2c 2d 2e 2f
#48	30 31 32 33 34 35 36 37

--- 10.0.0.2 ping statistics ---
2 packets transmitted, 2 received, +1 duplicates, +1 corrupted, 0% packet loss, time 1012ms
rtt min/avg/max/mdev = 0.045/0.052/0.061/0.006 ms
`;

describe('reading ping', () => {
  it('tells duplicates and broken payloads', () => {
    const result = parsePing(corrupted, '', 0);
    expect(result).to.include({ transmitted: 2, received: 2, duplicates: 1, loss: 0, corrupted: true, duration: 1012 });
    expect(result.replies.map(({ sequence, duplicate }) => [sequence, duplicate])).to.deep.equal([
      [1, false],
      [1, true],
      [2, false],
    ]);
    expect(parsePing(corrupted.replace(/wrong data.*\n/, '').replace(', +1 corrupted', ''), '', 0).corrupted).to.equal(
      false,
    );
  });

  it('tells all counters, whichever of them are there', () => {
    for (const [extra, expected] of [
      [', +3 duplicates', { duplicates: 3, corrupted: false }],
      [', +2 errors', { duplicates: 0, corrupted: false }],
      [', +4 corrupted', { duplicates: 0, corrupted: true }],
      [', +3 duplicates, +4 corrupted, +2 errors', { duplicates: 3, corrupted: true }],
    ] as const) {
      const text = `7 packets transmitted, 6 received${extra}, 14.2857% packet loss, time 6021ms\n`;
      expect(parsePing(text, '', 0), extra).to.include({
        transmitted: 7,
        received: 6,
        loss: 14.2857,
        duration: 6021,
        ...expected,
      });
    }
  });

  it('tells a ping that was stopped before its first request', () => {
    const result = parsePing(
      'PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n\n--- 10.0.0.2 ping statistics ---\n0 packets transmitted, 0 received\n\n',
      '',
      1,
    );
    expect(result).to.include({ transmitted: 0, received: 0, loss: 100 });
  });

  it('takes for a number only what is one', () => {
    const replies = ['1.2.3', '...', '9'.repeat(400), '0.045'].map(
      (time) => `8 bytes from a: icmp_seq=1 ttl=64 time=${time} ms\n`,
    );
    const summary = (loss: string) => `1 packets transmitted, 1 received, ${loss}% packet loss, time 3ms\n`;
    expect(parsePing(replies.join('') + summary('0'), '', 0).replies.map(({ time }) => time)).to.deep.equal([0.045]);
    for (const loss of ['1e+e', '1.2.3', '1e999', '-'])
      expect(parsePing(summary(loss), '', 0).loss, loss).to.equal(100);
    expect(parsePing(summary('1e-05'), '', 0).loss).to.equal(0.00001);
    expect(() => parsePing(`${'9'.repeat(400)} packets transmitted, 1 received\n`, '', 0)).to.throw(MacvlabError);
  });

  it('needs a summary, or a reason for its absence', () => {
    for (const [stdout, stderr, status] of [
      ['', '', 0],
      ['', '', 1],
      ['PING x', '', null],
      ['', 'ping: odd', 0],
    ] as const) {
      expect(() => parsePing(stdout, stderr, status))
        .to.throw(MacvlabError)
        .with.property('code', 'PROBE_UNREADABLE');
    }
  });

  it('never crashes, whatever is printed', () => {
    const changed = fc
      .tuple(fc.nat(corrupted.length), fc.nat(40), fc.string({ maxLength: 5 }))
      .map(([at, length, text]) => corrupted.slice(0, at) + text + corrupted.slice(at + length));
    fc.assert(
      fc.property(fc.oneof(fc.string(), changed), fc.string(), fc.option(fc.nat(255)), (stdout, stderr, status) => {
        try {
          const result = parsePing(stdout, stderr, status);
          for (const reply of result.replies)
            expect(Number.isFinite(reply.sequence + reply.ttl + reply.time)).to.equal(true);
        } catch (error) {
          expect(error).to.have.property('code', 'PROBE_UNREADABLE');
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('ping (needs root)', function () {
  let sandbox: TestSandbox;
  let a: NetworkStack;

  before(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open('a', 'b');
    await sandbox.cable('a', 'b');
    a = sandbox.stack('a');
    await sandbox.ip(
      '-n a route add 10.7.0.0/16 via 10.0.0.2',
      '-n a -6 route add 2001:db8:7::/48 via 2001:db8::2',
      '-n b route add 10.7.0.0/16 via 10.0.0.99',
      '-n b -6 route add 2001:db8:7::/48 via 2001:db8::99',
    );
    const settings =
      'echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding; for f in ipv?/neigh/eth0/retrans_time_ms; do echo 50 >$f; done';
    for (const namespace of ['a', 'b']) {
      const { status } = await sandbox.stack(namespace).run(['sh', '-ec', `cd /proc/sys/net; ${settings}`], 'change');
      expect(status).to.equal(0);
    }
    const answered = async () => (await ping(a, '10.0.0.2', { wait: 0.2 })).received === 1 || undefined;
    await poll(answered, { what: 'the cable to carry', deadline: 5000 });
  });
  after(() => sandbox?.close());

  for (const [address, ttl] of [
    ['10.0.0.2', 64],
    ['2001:db8::2', 64],
  ] as const) {
    it(`tells every reply of ${address}`, async () => {
      const result = await ping(a, address, { count: 1 });
      expect(result).to.deep.include({
        transmitted: 1,
        received: 1,
        duplicates: 0,
        loss: 0,
        errors: [],
        corrupted: false,
      });
      expect(result).not.to.have.property('refusal');
      expect(result.replies).to.have.lengthOf(1);
      expect(result.replies[0]).to.include({ sequence: 1, from: address, ttl, duplicate: false });
      expect(result.replies[0]!.time).to.be.within(0.001, 1000);
      expect(result.token).to.match(/^[0-9a-f]{16}$/);
    });
  }

  it('counts a flood', async () => {
    expect(await ping(a, '10.0.0.2', { count: 200, flood: true })).to.include({
      transmitted: 200,
      received: 200,
      loss: 0,
    });
  });

  it('sends what it is told to', async () => {
    const [sized, limited, bound] = await Promise.all([
      ping(a, '10.0.0.2', { size: 1200 }),
      ping(a, '10.0.0.2', { ttl: 1 }),
      ping(a, '10.0.0.2', { device: 'eth0' }),
    ]);
    expect([sized.received, limited.received, bound.received]).to.deep.equal([1, 1, 1]);
    const argv = sandbox.log
      .between(0)
      .filter(({ kind }) => kind === 'probe')
      .map(({ argv }) => argv.join(' '));
    expect(argv.some((line) => line.includes('-s 1200'))).to.equal(true);
    expect(argv.some((line) => line.includes('-I eth0'))).to.equal(true);
  });

  it('tells duplicates, as when a whole group answers', async () => {
    const result = await ping(a, 'ff02::1%eth0', { count: 2 });
    expect(result.duplicates).to.be.at.least(1);
    expect(result.replies.filter(({ duplicate }) => duplicate)).to.have.lengthOf(result.duplicates);
    expect(new Set(result.replies.map(({ from }) => from)).size).to.be.at.least(2);
  });

  it('tells whom nobody knows', async () => {
    for (const [address, error] of [
      ['10.0.0.9', 'Destination Host Unreachable'],
      ['2001:db8::9', 'Destination unreachable: Address unreachable'],
    ] as const) {
      const result = await ping(a, address, { count: 1 });
      expect(result, address).to.include({ transmitted: 1, received: 0, loss: 100, corrupted: false });
      expect(result.errors, address).to.deep.equal([error]);
      expect(result.replies).to.be.empty;
    }
  });

  it('tells the errors of routers', async () => {
    for (const [address, error] of [
      ['10.7.0.1', /^Time to live exceeded$/],
      ['2001:db8:7::1', /^Time exceeded: Hop limit$/],
    ] as const) {
      const result = await ping(a, address, { ttl: 1 });
      expect(result, address).to.include({ received: 0, loss: 100 });
      expect(result.errors, address).to.have.lengthOf(1);
      expect(result.errors[0]).to.match(error);
    }
  });

  it('tells why nothing could be sent at all', async () => {
    for (const [address, options, refusal] of [
      ['192.168.77.1', {}, /^connect: Network is unreachable$/],
      ['2001:db8:aa::1', {}, /^connect: Network is unreachable$/],
      ['10.0.0.2', { device: 'nosuch' }, /nosuch: No such device|unknown iface: nosuch/],
      ['no.such.host.invalid', {}, /no\.such\.host\.invalid: /],
    ] as const) {
      const result = await ping(a, address, options);
      expect(result, address).to.include({ transmitted: 0, received: 0, loss: 100 });
      expect(result.refusal, address).to.match(refusal);
    }
  });

  it('tells what it has so far when it is stopped', async () => {
    // An address of its own: an entry that an earlier test left would end the wait before ping handles signals.
    const running = await startPing(a, '10.0.0.8', { count: 5, wait: 30 });
    const asked = async () => (await readNeighbours(a)).find(({ address }) => address === '10.0.0.8');
    await poll(asked, { what: 'the first request to be sent', deadline: timeout(20_000) });
    await running.stop();
    const result = await running.ended;
    expect(result).to.include({ received: 0, loss: 100 });
    expect(result.transmitted).to.be.at.most(1);
    await running.stop();
  });

  it('can be stopped in the moment in which it starts', async () => {
    for (let round = 0; round < 10; round++) {
      const running = await startPing(a, '10.0.0.2', { count: 5, wait: 30 });
      await running.stop();
      const result = await running.ended.catch((error: unknown) => error);
      if (result instanceof MacvlabError) expect(result.code).to.equal('PROBE_UNREADABLE');
      else expect(result).to.have.property('received').that.is.at.most(1);
    }
  });

  it('is an error where ping is another program, which says something else or nothing', async () => {
    const other = await TestSandbox.open();
    try {
      await other.ip('link set lo up');
      expect(await ping(other.stack(), '127.0.0.1', { count: 1 })).to.include({ received: 1 });
      for (const script of ['$real "$@" | sed "s/packets transmitted/sent/"', 'exit 0']) {
        await other.replace('ping', script);
        const error = await ping(other.stack(), '127.0.0.1', { count: 1 }).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(MacvlabError).with.property('code', 'PROBE_UNREADABLE');
      }
    } finally {
      await other.close();
    }
  });

  it('fails with its machine', async () => {
    const other = await TestSandbox.open();
    const running = await startPing(other.stack(), '127.0.0.1', { count: 1000 });
    process.kill(other.init.pid, 'SIGKILL');
    const error = await running.ended.catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(MacvlabError).with.property('code', 'REMOTE_DEAD');
    await other.close();
  });
});
