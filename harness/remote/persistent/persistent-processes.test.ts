import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { errorOf } from '../../core/error.test-support.js';
import { poll } from '../../core/wait.js';
import { skipWithoutRoot, TestSandbox } from '../../machine/sandbox/sandbox.test-support.js';
import type { Session } from '../session.js';
import { lineOf } from './line-process.js';

const show = (device: string) => ['ip', '-j', '-d', 'address', 'show', 'dev', device];
const sh = (line: string, ...args: string[]) => ['sh', '-c', line, 'sh', ...args];

/** A fake ip that handles some of its lines by itself, and passes the others to the real one. */
const withLines = (cases: string) => `
case "$*" in *-batch*) ;; *) exec $real "$@" ;; esac
while IFS= read -r line; do case $line in ${cases} ;; esac; echo "$line"; done | $real "$@"`;

describe('a command as a line for a long-lived process', () => {
  for (const line of [
    'ip link set dev eth0 up',
    'ip -n ns1 address add 10.0.0.1/24 dev eth0',
    'ip -j -d address show dev eth0',
    'ip -s neighbour flush all',
    'ip netns add ns1',
    'bridge link set dev node1 hairpin on',
  ])
    it(`${line}: is one`, () => expect(lineOf(line.split(' '))).to.be.an('object'));

  for (const [line, why] of [
    ['ip -6 route add default', 'an option of another process'],
    ['ip address show dev eth0', 'text for readers'],
    ['ip -j -br link show', 'another format'],
    ['ip link add name e0 netns ns1 type veth', 'ip would keep the namespace open'],
    ['ip netns exec ns1 true', 'it starts a program'],
    ['ip -n ns1 netns add ns2', 'a name in the mounts of another namespace'],
    ['ip -batch -', 'it reads lines itself'],
    ['ip monitor', 'it has no end'],
    ['ping 10.0.0.1', 'another program'],
    ['bridge -j -d link show dev node1', 'bridge would keep its filter'],
    ['ip -j -d link show', 'ip would show no addresses afterwards'],
    ['ip', 'no command'],
  ] as const)
    it(`${line}: is none, ${why}`, () => expect(lineOf(line.split(' '))).to.equal(undefined));

  for (const word of ['', 'two words', 'a#b', '"a"', "a'b", 'a\\', 'a\nb', '$a'])
    it(`a word such as ${JSON.stringify(word)}: is none`, () =>
      expect(lineOf(['ip', 'link', 'set', 'dev', word, 'up'])).to.equal(undefined));
});

describe('the long-lived processes of a session (needs root)', function () {
  this.timeout(60_000);
  let sandbox: TestSandbox;
  let session: Session;

  beforeEach(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open('a');
    session = await sandbox.connect('machine');
  });
  afterEach(() => sandbox?.close());

  /** The number of commands that the session starts for this work. */
  async function cost(work: () => Promise<unknown>): Promise<number> {
    const sum = () => [...session.started.values()].reduce((total, count) => total + count, 0);
    const before = sum();
    await work();
    return sum() - before;
  }
  const shown = async (device: string) => {
    const { stdout } = await session.run(show(device));
    return (JSON.parse(stdout) as Record<string, unknown>[])[0];
  };
  const other = async (line: string, ...args: string[]) => (await sandbox.machine.run(sh(line, ...args))).stdout.trim();
  /** Replaces ip before the session's first command, and runs one. */
  const replaceIp = async (cases: string) => {
    await sandbox.replace('ip', withLines(cases));
    await session.run(show('lo'));
  };
  const pidsOf = async (program: string) => {
    const found = await other(
      `for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = "$1" ] && echo \${p#/proc/}; done`,
      program,
    );
    return found.split('\n').filter(Boolean);
  };

  it('many commands for ip: one process, with the results that processes of their own have', async () => {
    expect(await cost(async () => session.run(['ip', 'link', 'add', 'name', 'd0', 'type', 'bridge']))).to.equal(1);
    const commands = [
      ['ip', 'link', 'set', 'dev', 'd0', 'up'],
      ['ip', 'address', 'add', '10.0.0.1/24', 'dev', 'd0'],
      ['ip', 'address', 'add', '10.0.0.1/24', 'dev', 'd0'],
      ['ip', 'link', 'add', 'name', 'x', 'type', 'nosuch'],
      ['ip', '-s', 'neighbour', 'flush', 'all'],
    ];
    let results: unknown[] = [];
    // The kernel's message differs between versions.
    await other('ip link add name e0 type bridge; ip address add 10.0.0.9/24 dev e0');
    const refusals = [`${await other('ip address add 10.0.0.9/24 dev e0 2>&1')}\n`];
    const spent = await cost(async () => {
      const ran = await session.batch(commands.map((argv) => ({ argv, mayFail: true })));
      results = ran.map(({ status, stderr }) => [status, stderr]);
    });
    expect(spent).to.equal(0);
    expect(results).to.deep.equal([
      [0, ''],
      [0, ''],
      [2, refusals[0] ?? ''],
      [2, 'Error: Unknown device type.\n'],
      [0, ''],
    ]);
    expect(await shown('d0'))
      .to.include({ ifname: 'd0' })
      .and.have.property('addr_info');
  });

  it('a bridge port that is read: later readings show all ports', async () => {
    const lines = ['br0 type bridge', 'p0 type veth peer name q0', 'p1 type veth peer name q1'];
    for (const line of lines) await session.run(['ip', 'link', 'add', 'name', ...line.split(' ')]);
    for (const name of ['p0', 'p1']) await session.run(['ip', 'link', 'set', 'dev', name, 'master', 'br0']);
    await session.run(['bridge', '-j', '-d', 'link', 'show', 'dev', 'p0']);
    const { stdout } = await session.run(['bridge', '-j', '-d', 'link', 'show']);
    const names = (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname);
    expect(names).to.have.members(['p0', 'p1']);
  });

  it('a reading after any other command: shows what a process of its own shows', async () => {
    const setUp = [
      'link add name e0 type veth peer name e1',
      // An address that the kernel makes would change by itself during the test.
      'link set dev e0 addrgenmode none',
      'link set dev e1 addrgenmode none',
      'address add 10.0.0.1/24 dev e0',
      'address add fd00::1/64 dev e0 nodad',
    ];
    for (const line of [...setUp, 'link set dev e0 up', 'link set dev e1 up', 'link set dev lo up'])
      expect(await session.run(['ip', ...line.split(' ')]), line).to.have.property('status', 0);
    const readings = [
      'address show',
      'address show dev e0',
      'neighbour show',
      'neighbour show dev e0',
      'route show',
      'route get 10.0.0.2',
    ];
    const others = [
      '-j -d link show',
      '-j -d link show dev e0',
      '-j -d link show type veth',
      '-j route show table all',
    ];
    const changes = [
      'link set dev e0 up',
      '-s neighbour flush dev e0',
      'address add 10.0.0.9/24 dev lo',
      'address delete 10.0.0.9/24 dev lo',
    ];
    const volatile = /"(stats64|cache|users|age|linkmode|inet6_addr_gen_mode)":(\{.*?\}\}|\[\]|"?\w+"?),?/g;
    const stable = (json: string) =>
      json
        .replaceAll(volatile, '')
        .replaceAll(/"(valid|preferred)_life_time":\d+/g, '')
        .trim();
    for (const before of [...readings.map((reading) => `-j -d ${reading}`), ...others, ...changes]) {
      for (const reading of readings) {
        await session.run(['ip', ...before.split(' ')]);
        const { stdout } = await session.run(['ip', '-j', '-d', ...reading.split(' ')]);
        expect(stable(stdout), `${reading}, after ${before}`).to.equal(stable(await other(`ip -s -j -d ${reading}`)));
      }
    }
  });

  it('an argument that ip refuses, which ends it: that failure, and the next command works', async () => {
    const refused = await session.run(['ip', 'link', 'set', 'dev', 'lo', 'bogus']);
    expect(refused).to.deep.include({ status: 255, signal: null, stdout: '' });
    expect(refused.stderr).to.equal('Error: either "dev" is duplicate, or "bogus" is a garbage.\n');
    expect((await session.run(show('lo'))).status).to.equal(0);
  });

  it('callers at the same time: their commands in the order of their requests', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `d${index}`);
    await Promise.all(names.map(async (name) => session.run(['ip', 'link', 'add', 'name', name, 'type', 'bridge'])));
    const links = JSON.parse((await session.run(['ip', '-j', 'link', 'show'])).stdout) as { ifname: string }[];
    expect(links.map(({ ifname }) => ifname).slice(-30)).to.deep.equal(names);
  });

  it('a command that hangs: killed and named, and the next one gets another process', async () => {
    await replaceIp('*d-hang*) sleep 1000');
    const [error, waiting] = await Promise.all([
      errorOf(session.run(show('d-hang'), { deadline: 300 })),
      session.run(show('lo')),
    ]);
    expect(error).to.be.instanceOf(MacvlabError).and.have.property('code', 'REMOTE_DEADLINE');
    expect(error.message).to.match(/^on machine, `ip -j -d address show dev d-hang` did not end .* and was killed$/);
    expect(waiting.status).to.equal(0);
  });

  it('a command that prints without end: killed and named', async () => {
    await replaceIp('*d-flood*) exec yes >&2');
    const error = await errorOf(session.run(show('d-flood')));
    expect(error).to.have.property('code', 'REMOTE_COMMAND');
    expect(error.message).to.match(/address show dev d-flood` said more than 64 MiB and was killed$/);
    expect((await session.run(show('lo'))).status).to.equal(0);
  });

  it('output without its end: killed at the deadline', async () => {
    await replaceIp('*d-endless*) echo "[{}]" >&2; exec sleep 1000');
    const error = await errorOf(session.run(show('d-endless'), { deadline: 300 }));
    expect(error).to.have.property('code', 'REMOTE_DEADLINE');
    expect(error.evidence).to.equal('[{}]');
  });

  it('a process that is killed during a command: that command has failed with the signal', async () => {
    await replaceIp('*d-hang*) sleep 1000');
    const hung = session.run(show('d-hang'));
    await poll(async () => (await pidsOf('sleep'))[0], { what: 'the command to begin', deadline: 5000 });
    // The shell that imitates ip.
    await other('for p in /proc/[0-9]*; do grep -qsz -e -batch $p/cmdline && kill -KILL ${p#/proc/}; done; :');
    await other('kill -KILL $1', String((await pidsOf('sleep'))[0]));
    expect(await hung).to.include({ status: null, signal: 'KILL' });
    expect((await session.run(show('lo'))).status).to.equal(0);
  });

  it('an idle process that is killed: the next command gets another', async () => {
    await session.run(show('lo'));
    const [pid = ''] = await pidsOf('ip');
    await other('kill -KILL $1', pid);
    await poll(async () => ((await pidsOf('ip')).length === 0 ? true : undefined), { what: 'its end', deadline: 5000 });
    expect((await session.run(show('lo'))).status).to.equal(0);
    await session.run(show('lo'));
    expect(await pidsOf('ip'))
      .to.have.lengthOf(1)
      .and.not.include(pid);
  });

  it('a namespace is deleted: no process keeps it, and its links vanish', async () => {
    await session.run(['ip', 'netns', 'add', 'gone']);
    await session.run(['ip', 'link', 'add', 'name', 'near', 'type', 'veth', 'peer', 'name', 'far', 'netns', 'gone']);
    await session.run(['ip', '-n', 'gone', 'link', 'set', 'dev', 'lo', 'up']);
    const ping = ['nsenter', '--net=/run/netns/gone', '--', 'ping', '-c', '1', '127.0.0.1'];
    expect((await session.run(ping)).status).to.equal(0);
    await session.run(['ip', 'netns', 'delete', 'gone']);
    const gone = async () => ((await other('ip -br link')).includes('near') ? undefined : true);
    await poll(gone, { what: 'the link to vanish', deadline: 5000 });
    await session.run(['ip', 'netns', 'add', 'gone']);
    const { stdout } = await session.run(['ip', '-n', 'gone', '-j', 'link', 'show']);
    expect((JSON.parse(stdout) as unknown[]).length).to.equal(1);
  });

  it('a link that others replace by one of the same name: the new one is changed', async () => {
    await session.run(['ip', 'link', 'add', 'name', 'd0', 'type', 'bridge']);
    await session.run(show('d0'));
    await other('ip link delete dev d0; ip link add name other type bridge; ip link add name d0 type bridge');
    expect((await session.run(['ip', 'address', 'add', '10.0.0.1/24', 'dev', 'd0'])).status).to.equal(0);
    expect(await other('ip -br address show dev d0')).to.include('10.0.0.1/24');
  });

  it('links that are deleted, renamed or moved: their names are not remembered', async () => {
    await session.run(['ip', 'link', 'add', 'name', 'base', 'type', 'veth', 'peer', 'name', 'far']);
    const add = async () => session.run('ip link add link base name d0 type macvlan mode bridge'.split(' '));
    for (const change of [
      ['ip', 'link', 'delete', 'dev', 'd0'],
      ['ip', 'link', 'set', 'dev', 'd0', 'name', 'd1'],
      ['ip', 'link', 'set', 'dev', 'd0', 'netns', 'a'],
    ]) {
      await add();
      await session.run(show('d0'));
      expect((await session.run(change)).status, change.join(' ')).to.equal(0);
      await add();
      expect((await session.run(['ip', 'link', 'set', 'dev', 'd0', 'mtu', '1400'])).status).to.equal(0);
      expect(await shown('d0'), change.join(' ')).to.include({ mtu: 1400 });
      await session.run(['ip', 'link', 'delete', 'dev', 'd0']);
    }
  });

  it('a session that dies during a command: REMOTE_DEAD', async () => {
    await replaceIp('*d-hang*) sleep 1000');
    const hung = errorOf(session.run(show('d-hang')));
    await poll(async () => (await pidsOf('sleep'))[0], { what: 'the command to begin', deadline: 5000 });
    session.close();
    expect(await hung).to.have.property('code', 'REMOTE_DEAD');
  });

  it('the end of a session: none of its processes remains', async () => {
    await session.run(show('lo'));
    await session.run(['ip', '-n', 'a', '-j', 'address', 'show']);
    await session.run(['cat', '/proc/uptime']);
    expect(await pidsOf('ip')).to.have.length(2);
    session.close();
    const gone = async () => ((await pidsOf('ip')).length === 0 ? true : undefined);
    await poll(gone, { what: 'their end', deadline: 5000 });
  });

  it('a machine without stdbuf: each command has a process of its own, with the same result', async () => {
    await sandbox.replace('stdbuf', 'exit 127');
    expect(await shown('lo')).to.include({ ifname: 'lo' });
    expect(await cost(async () => session.run(show('lo')))).to.equal(1);
  });

  it('a signal: it reaches a command in a shell, and the shell runs the next one', async () => {
    const ping = ['ping', '-i', '0.2', '127.0.0.1'];
    await session.run(['cat', '/proc/uptime']);
    const [first, second] = await Promise.all([session.launch(ping), session.launch(ping)]);
    await session.signal('INT', [first]);
    expect((await first.ended).stdout).to.include('ping statistics');
    await session.signal('KILL', [second]);
    expect(await second.ended).to.include({ status: null, signal: 'KILL' });
    expect(await cost(async () => session.run(['cat', '/proc/uptime']))).to.equal(1);
    // A program without a handler of its own does not ignore it.
    const reader = await session.launch(['cat', '/proc/kmsg']);
    await session.signal('INT', [reader]);
    expect(await reader.ended).to.include({ signal: 'INT' });
  });

  it('no free channel: idle processes give theirs', async () => {
    await sandbox.machine.run(sh('cd /run/macvlab; sed -i "s/^MaxSessions .*/MaxSessions 3/" sshd_config'));
    const narrow = await sandbox.connect('narrow');
    await narrow.run(show('lo'));
    await narrow.run(['ip', '-n', 'a', '-j', 'link', 'show']);
    await narrow.run(['cat', '/proc/uptime']);
    const started = await Promise.all([narrow.start(['sleep', '60']), narrow.start(['sleep', '60'])]);
    expect(started.map(({ pid }) => pid > 0)).to.deep.equal([true, true]);
    expect((await narrow.run(show('lo'))).status).to.equal(0);
  });
});
