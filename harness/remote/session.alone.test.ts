import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import type { MacvlabError } from '../core/error.js';
import { errorOf } from '../core/error.test-support.js';
import { timeout, pause, poll, within } from '../core/wait.js';
import { skipWithoutRoot, TestSandbox } from '../machine/sandbox/sandbox.test-support.js';
import { newKeyPair } from './keys.js';
import { type CommandResult, Session } from './session.js';

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const sh = (line: string, ...args: string[]) => ['sh', '-c', line, 'sh', ...args];

describe('a session with a real sshd (needs root)', function () {
  let sandbox: TestSandbox;
  let session: Session;

  before(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open('node1');
    session = await sandbox.connect('node1', 'node1');
  });
  after(() => sandbox?.close());

  /** Whether a process of the sandbox still exists; a zombie does not count. */
  const isAlive = async (pid: number): Promise<boolean> =>
    (await sandbox.machine.run(sh('grep -q "^State:.[^Z]" /proc/$1/status', String(pid)))).status === 0;
  const gone = (pid: number) =>
    poll(async () => !(await isAlive(pid)) || undefined, { what: `process ${pid} to be gone`, deadline: 1000 });

  describe('runs commands', () => {
    it('and tells their output, status and duration', async () => {
      const argv = sh('echo out; echo err >&2; exit 7');
      const { duration, ...result } = await session.run(argv);
      expect(result).to.deep.equal({ argv, status: 7, signal: null, stdout: 'out\n', stderr: 'err\n' });
      expect(duration).to.be.within(0.1, 2000);
    });

    it('and tells the signal that ended them', async () => {
      const { status, signal } = await session.run(sh('kill -KILL $$'));
      expect({ status, signal }).to.deep.equal({ status: null, signal: 'KILL' });
    });

    it('and tells a program that is not there as status 127', async () => {
      const { status, stderr } = await session.run(['no-such-program-here', 'x']);
      expect(status).to.equal(127);
      expect(stderr).to.contain('no-such-program-here');
    });

    it('with exactly their arguments', async () => {
      const args = ['', ' a  b ', "it's", '"', '$(id)', '`id`', '\\', 'new\nline', '-n', '*', 'é🦊', 'a=b'];
      const { stdout } = await session.run(['printf', '%s\\0', ...args]);
      expect(stdout.split('\0').slice(0, -1)).to.deep.equal(args);
    });

    it('with what they shall read, or with nothing', async () => {
      expect((await session.run(['cat'], { stdin: 'läuft\n' })).stdout).to.equal('läuft\n');
      expect((await session.run(['cat'])).stdout).to.equal('');
      expect((await session.run(['wc', '-c'], { stdin: new Uint8Array(1000) })).stdout.trim()).to.equal('1000');
    });

    it('that do not read what they are given', async () => {
      const { status } = await session.run(['true'], { stdin: Buffer.alloc(8 << 20) });
      expect(status).to.equal(0);
    });

    it('200 at a time, each with its own output', async () => {
      const numbers = Array.from({ length: 200 }, (_, index) => index);
      const results = await Promise.all(
        numbers.map((n) => session.run(sh('echo out $1; echo err $1 >&2; exit $(($1 % 7))', String(n)))),
      );
      expect(results.map(({ stdout, stderr, status }) => [stdout, stderr, status])).to.deep.equal(
        numbers.map((n) => [`out ${n}\n`, `err ${n}\n`, n % 7]),
      );
    });

    it('and keeps the last words of each, however short they live', async () => {
      for (let round = 0; round < 60; round++) {
        const { stderr } = await session.run(sh('echo words >&2'));
        expect(stderr, `round ${round}`).to.equal('words\n');
      }
    });

    it('and misses no end of any when the harness was too busy to listen', async () => {
      let pending = true;
      const works = Promise.all(Array.from({ length: 30 }, () => session.run(sh('echo out; echo err >&2; exit 5'))));
      works.finally(() => (pending = false)).catch(() => undefined);
      while (pending) {
        // all data that arrives meanwhile is then read at once
        for (const until = performance.now() + 15; performance.now() < until;);
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const { stdout, stderr, status } of await works)
        expect([stdout, stderr, status]).to.deep.equal(['out\n', 'err\n', 5]);
    });

    it('with big streams both ways, unharmed', async () => {
      const bytes = randomBytes(12 << 20)
        .toString('base64')
        .slice(0, 16 << 20);
      const { stdout, stderr } = await session.run(
        sh('tee /proc/self/fd/3 3>&1 >/dev/null | tee -a /dev/null; sha256sum /dev/null >&2'),
        {
          stdin: bytes,
        },
      );
      expect(sha256(stdout)).to.equal(sha256(bytes));
      expect(stderr).to.contain('/dev/null');
    });

    it('32 MiB of binary data both ways, through the streams themselves', async () => {
      const bytes = randomBytes(32 << 20);
      const process = await session.start(['cat']);
      const back: Buffer[] = [];
      process.stderr.resume();
      process.stdout.on('data', (chunk: Buffer) => back.push(chunk));
      process.stdin.end(bytes);
      expect(await process.ended).to.deep.equal({ status: 0, signal: null });
      expect(sha256(Buffer.concat(back))).to.equal(sha256(bytes));
    });

    it('and refuses arguments that are too long with the machine’s words, rather than to hang', async () => {
      const result = await session.run(['true', 'x'.repeat(200_000)]);
      expect(result.status).not.to.equal(0);
    });

    it('in batches', async () => {
      const results = await session.batch([
        { argv: ['echo', 'one'] },
        { argv: ['false'], mayFail: true },
        { argv: sh('echo three; exit 3') },
        { argv: ['echo', 'four'] },
      ]);
      expect(results.map(({ status, stdout }) => [status, stdout])).to.deep.equal([
        [0, 'one\n'],
        [1, ''],
        [3, 'three\n'],
      ]);
      expect(await session.batch([])).to.deep.equal([]);
    });
  });

  describe('ends commands', () => {
    /** A command that prints its process id and then stays. */
    const staying = sh('echo $$; exec sleep 60');

    it('when their deadline is over, with what they had said', async () => {
      const began = performance.now();
      const error = await errorOf(session.run(staying, { deadline: 150 }));
      const deadline = timeout(150);
      expect(performance.now() - began).to.be.within(deadline - 10, deadline + 1350);
      expect(error.code).to.equal('REMOTE_DEADLINE');
      expect(error.message)
        .to.match(/^on node1, `sh .*` did not end /)
        .and.include(`within ${deadline} ms and was killed`);
      expect(error.evidence).to.match(/^\d+$/);
      await gone(Number(error.evidence));
    });

    it('when a signal says so', async () => {
      const controller = new AbortController();
      const reason = new Error('nobody needs it');
      const before = await sleepers();
      const work = session.run(['sleep', '61'], { signal: controller.signal }).catch((error: unknown) => error);
      const [pid] = await poll(
        async () => {
          const now = (await sleepers()).filter((id) => !before.includes(id));
          return now.length > 0 ? now : undefined;
        },
        { what: 'the sleep', deadline: 2000 },
      );
      controller.abort(reason);
      expect(await work).to.equal(reason);
      await gone(pid!);
    });

    it('before they begin, when the signal was there first', async () => {
      const reason = new Error('too late');
      const path = '/run/macvlab/never-made';
      const error = await session.run(['touch', path], { signal: AbortSignal.abort(reason) }).catch((e: unknown) => e);
      expect(error).to.equal(reason);
      expect((await session.run(['test', '-e', path])).status).to.equal(1);
    });

    it('by a signal of one’s own', async () => {
      for (const name of ['INT', 'TERM', 'KILL', 'HUP', 'USR1'] as const) {
        const process = await session.start(['sleep', '60']);
        process.stdout.resume();
        process.stderr.resume();
        expect(await isAlive(process.pid)).to.equal(true);
        await session.signal(name, [process]);
        expect(await process.ended).to.deep.equal({ status: null, signal: name });
        await session.signal(name, [process]);
      }
      await session.signal('KILL', []);
    });

    async function sleepers(): Promise<number[]> {
      const { stdout } = await sandbox.machine.run(
        sh('for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = sleep ] && echo ${p#/proc/}; done'),
      );
      return stdout.split('\n').filter(Boolean).map(Number);
    }
  });

  describe('copies files', () => {
    it('there and back, byte by byte, readable for its user only', async () => {
      const content = Buffer.concat([Buffer.from([0, 255, 10, 13, 0]), randomBytes(300_000)]);
      await session.put(content, '/run/macvlab/file');
      expect((await session.get('/run/macvlab/file')).equals(content)).to.equal(true);
      expect((await session.run(['stat', '-c', '%a %s', '/run/macvlab/file'])).stdout).to.equal(
        `600 ${content.length}\n`,
      );
    });

    it('with another mode, with text, and over a longer file', async () => {
      await session.put('x'.repeat(1000), '/run/macvlab/script');
      await session.put('#!/bin/sh\necho läuft\n', '/run/macvlab/program', 0o755);
      expect((await session.run(['stat', '-c', '%a', '/run/macvlab/program'])).stdout).to.equal('755\n');
      await session.put('short', '/run/macvlab/script');
      expect((await session.get('/run/macvlab/script')).toString()).to.equal('short');
      await session.put('', '/run/macvlab/script');
      expect((await session.get('/run/macvlab/script')).length).to.equal(0);
    });

    it('or says which one, and why not', async () => {
      const missing = await errorOf(session.get('/run/macvlab/missing'));
      expect(missing.code).to.equal('REMOTE_COPY');
      expect(missing.message).to.equal('node1 could not read /run/macvlab/missing: No such file');
      const nowhere = await errorOf(session.put('x', '/no/such/folder/file'));
      expect(nowhere.code).to.equal('REMOTE_COPY');
      expect(nowhere.message).to.contain('/no/such/folder/file');
    });
  });

  describe('tunnels', () => {
    it('to a server in its own network', async () => {
      const server = await session.start(
        sh('ip link set lo up; exec "$(command -v sshd)" -D -e -f "$1" -o ListenAddress=127.0.0.1 -p 2222', config),
      );
      server.stderr.resume();
      server.stdout.resume();
      const opened = await poll(() => session.tunnel('127.0.0.1', 2222).catch(() => undefined), {
        what: 'the server to listen',
        deadline: 5000,
      });
      const [greeting] = (await once(opened, 'data')) as [Buffer];
      expect(greeting.toString()).to.match(/^SSH-2\.0-/);
      opened.destroy();
      await session.signal('TERM', [server]);
      await server.ended;
    });

    it('or says where it could not', async () => {
      const error = await errorOf(session.tunnel('127.0.0.1', 9));
      expect(error.code).to.equal('REMOTE_CONNECT');
      expect(error.message).to.match(/^node1 could not connect to 127\.0\.0\.1 port 9: /);
    });

    const config = '/run/macvlab/sshd_config';
  });

  describe('is hermetic', () => {
    const hostile = {
      FOO: 'bar',
      BASH_ENV: '/root/hostile',
      ENV: '/root/hostile',
      LD_PRELOAD_X: 'x',
      LC_ALL: 'C.UTF-8',
    };

    it('whatever the environment of the harness and the files of its user say', async () => {
      const known = Object.keys(hostile).map((name) => [name, process.env[name]] as const);
      Object.assign(process.env, hostile);
      try {
        const other = await TestSandbox.open();
        try {
          // files of the host's root, in this sandbox only
          await other.machine.run(
            sh(`mount -t tmpfs tmpfs /root
              for f in /root/hostile /root/.bashrc /root/.profile /root/.bash_profile /run/macvlab/.bashrc /run/macvlab/.profile
              do echo 'echo hostile; echo hostile >&2; export HOSTILE=1; exit 9' >$f; done`),
          );
          const session = await other.connect('second');
          expect((await session.run(['ls', '-A', '/etc/ssh'])).stdout, 'a place for sshrc').to.equal('');
          const { stdout, stderr, status } = await session.run(['env']);
          expect({ stderr, status }).to.deep.equal({ stderr: '', status: 0 });
          const names = stdout
            .trim()
            .split('\n')
            .map((line) => line.split('=')[0]!);
          expect(names).to.include.members(['HOME', 'PATH']);
          expect(
            names.filter((name) => !minimal.has(name)),
            stdout,
          ).to.be.empty;
          expect(stdout).to.match(/^HOME=\/run\/macvlab$/m);
        } finally {
          await other.close();
        }
      } finally {
        for (const [name, value] of known) {
          if (value === undefined) Reflect.deleteProperty(process.env, name);
          else process.env[name] = value;
        }
      }
    });

    /** The variables that sshd sets by itself (OpenSSH session.c, do_setup_env), and those of the shell. */
    const minimal = new Set(
      'HOME LOGNAME MAIL PATH PWD OLDPWD SHELL SHLVL SSH_CLIENT SSH_CONNECTION USER _'.split(' '),
    );
  });

  describe('is refused', () => {
    it('by us when the host key is another one than the pinned', async () => {
      const keys = { ...sandbox.keys, host: newKeyPair() };
      const error = await errorOf(sandbox.connect('node1', 'node1', keys));
      expect(error.code).to.equal('REMOTE_CONNECT');
      expect(error.message).to.equal('no SSH session with node1: it presented another host key than the pinned one');
    });

    it('by sshd when the user’s key is another one', async () => {
      const keys = { ...sandbox.keys, user: newKeyPair() };
      const error = await errorOf(sandbox.connect('node1', 'node1', keys));
      expect(error.code).to.equal('REMOTE_CONNECT');
      expect(error.message).to.match(/^no SSH session with node1: .*authentication/);
    });

    it('with the last words of what should have carried it', async () => {
      const error = await errorOf(sandbox.connect('node9', 'node9'));
      expect(error.code).to.equal('REMOTE_CONNECT');
      expect(error.evidence).to.contain('/run/netns/node9').and.to.contain('ended with status 1');
    });

    it('a command that says without end, which is killed', async () => {
      for (const script of ['exec yes', 'exec yes >&2']) {
        const before = process.memoryUsage().rss;
        const error = await errorOf(sandbox.machine.run(sh(script)));
        expect(error.code).to.equal('REMOTE_COMMAND');
        expect(error.message).to.match(/said more than 64 MiB and was killed$/);
        expect(error.evidence)
          .to.match(/^(y\n)+y$/)
          .and.to.have.length.below(500);
        expect((process.memoryUsage().rss - before) / 2 ** 20).to.be.below(512);
      }
      const gone = async () => {
        const { stdout } = await sandbox.machine.run(sh('cat /proc/[0-9]*/comm'));
        return !/^yes$/m.test(stdout) || undefined;
      };
      await poll(gone, { what: 'yes to end', deadline: 5000 });
    });

    it('more channels than sshd opens, without harm to the others', async () => {
      await sandbox.machine.run(sh('cd /run/macvlab; sed -i "s/^MaxSessions .*/MaxSessions 2/" sshd_config'));
      const narrow = await sandbox.connect('narrow');
      await sandbox.machine.run(sh('cd /run/macvlab; sed -i "s/^MaxSessions .*/MaxSessions 1000/" sshd_config'));
      const open = await Promise.all([narrow.start(['sleep', '60']), narrow.start(['cat'])]);
      const error = await errorOf(narrow.run(['echo', 'third']));
      expect(error.code).to.equal('REMOTE_COMMAND');
      expect(error.message).to.match(/^narrow could not start echo third: /);
      expect(error.next).to.contain('MaxSessions');
      const [, cat] = open;
      cat.stdout.resume();
      cat.stderr.resume();
      cat.stdin.end();
      expect(await cat.ended).to.deep.equal({ status: 0, signal: null });
      // sshd frees a session shortly after it has reported its end
      const again = () => narrow.run(['echo', 'again']).catch(() => undefined);
      expect((await poll(again, { what: 'a free channel', deadline: 2000 })).stdout).to.equal('again\n');
      narrow.close();
    });
  });

  describe('whose peer dies', () => {
    /** One pending request of each kind on a session. */
    async function pending(victim: Session): Promise<Promise<unknown>[]> {
      const unread = await victim.start(sh('echo unread; exec sleep 60'));
      return [
        victim.run(['sleep', '60']),
        victim.run(sh('echo words; exec sleep 60'), { stdin: Buffer.alloc(16 << 20) }),
        victim.batch([{ argv: ['sleep', '60'] }]),
        unread.ended,
        victim.get('/dev/zero'),
      ];
    }

    /** Ends the peer, and expects all pending requests to fail in time. */
    async function expectDeath(victim: Session, end: () => unknown): Promise<MacvlabError[]> {
      const works = await pending(victim);
      let sooner = 0;
      for (const work of works) work.catch(() => undefined).finally(() => sooner++);
      await victim.run(['true']);
      expect(sooner, 'what was pending had ended before its peer').to.equal(0);
      const began = performance.now();
      const opening = victim.run(['true', 'asked for in the same moment']);
      void opening.catch(() => undefined);
      await end();
      const errors = await within(Promise.all([...works].map(errorOf)), { what: 'all to fail', deadline: 5000 });
      expect(performance.now() - began, 'milliseconds until all had failed').to.be.below(500);
      await opening.catch((error: unknown) => expect(error).to.have.property('code', 'REMOTE_DEAD'));
      const later = performance.now();
      const laterWorks = [
        victim.run(['true']),
        victim.start(['true']),
        victim.batch([{ argv: ['true'] }]),
        victim.put('x', '/x'),
        victim.get('/x'),
        victim.tunnel('127.0.0.1', 1),
        victim.terminal(['sh'], { term: 'vt100', rows: 24, cols: 80 }),
      ];
      const late = await Promise.all(laterWorks.map(errorOf));
      expect(performance.now() - later, 'milliseconds for later requests').to.be.below(50);
      expect(victim.death.aborted).to.equal(true);
      return [...errors, ...late];
    }

    it('fails all commands at once when its sshd is killed', async () => {
      const victim = await sandbox.connect('victim', 'node1');
      const { stdout: sshd } = await victim.run(sh('echo $PPID'));
      for (const error of await expectDeath(victim, () => sandbox.machine.run(['kill', '-KILL', sshd.trim()]))) {
        expect(error.code).to.equal('REMOTE_DEAD');
        expect(error.message).to.match(/^the SSH session with victim is gone: /);
        expect(error.evidence).to.contain('sshd of victim ended with SIGKILL');
      }
      expect((await session.run(['echo', 'others live'])).stdout).to.equal('others live\n');
    });

    it('fails all commands at once when the whole sandbox is killed', async () => {
      const other = await TestSandbox.open('node2');
      const victim = await other.connect('node2', 'node2');
      for (const error of await expectDeath(victim, () => process.kill(other.init.pid, 'SIGKILL'))) {
        expect(error.code).to.equal('REMOTE_DEAD');
        expect(error.message).to.contain('node2');
        expect(error.evidence).to.contain('sshd of node2 ended with SIGKILL');
      }
      await other.close();
    });

    it('fails all commands at once when it is closed from here', async () => {
      const victim = await sandbox.connect('closed', 'node1');
      for (const error of await expectDeath(victim, () => victim.close())) {
        expect(error.code).to.equal('REMOTE_DEAD');
        expect(error.message).to.equal('the SSH session with closed is gone: it was closed');
      }
      victim.close();
    });

    for (const allowHalfOpen of [false, true])
      it(`fails what is asked for between the end of the connection and its close, ${allowHalfOpen ? 'which does not come by itself' : 'which is late'}`, async () => {
        const sshd = sandbox.sshd();
        sshd.stdin.on('error', () => undefined);
        const transport = new Duplex({
          allowHalfOpen,
          read() {},
          write: (bytes, _, done) => void sshd.stdin.write(bytes, done),
          destroy: (error, done) => void pause(300).then(() => done(error)),
        });
        sshd.stdout.on('data', (bytes: Buffer) => transport.push(bytes)).on('end', () => transport.push(null));
        const { user, host } = sandbox.keys;
        const options = { name: 'ending', user: 'root', privateKey: user.private, hostKey: host.public, transport };
        const victim = await Session.open(options);
        const { stdout } = await victim.run(sh('echo $PPID'));
        const ended = once(transport, 'end');
        await sandbox.machine.run(['kill', '-KILL', stdout.trim()]);
        await ended;
        expect(victim.death.aborted).to.equal(false);
        const errors = await Promise.all(
          [victim.run(['true']), victim.get('/x'), victim.tunnel('127.0.0.1', 1)].map(errorOf),
        );
        expect(errors.map(({ code }) => code)).to.deep.equal(['REMOTE_DEAD', 'REMOTE_DEAD', 'REMOTE_DEAD']);
      });

    it('keeps to a command’s deadline though it is silent', async () => {
      const victim = await sandbox.connect('frozen', 'node1');
      const { stdout: sshd } = await victim.run(sh('echo $PPID'));
      await sandbox.machine.run(['kill', '-STOP', sshd.trim()]);
      const began = performance.now();
      const error = await errorOf(victim.run(['true'], { deadline: 200 }));
      const deadline = timeout(200);
      expect(performance.now() - began).to.be.within(deadline - 10, deadline + 800);
      expect(error.code).to.equal('REMOTE_DEADLINE');
      expect(error.message).to.equal(`frozen did not start true within ${deadline} ms`);
      await sandbox.machine.run(['kill', '-CONT', sshd.trim()]);
      expect((await victim.run(['echo', 'thawed'])).stdout).to.equal('thawed\n');
      await sandbox.machine.run(['kill', '-STOP', sshd.trim()]);
      // left unfinished: the sandbox has to end even so
    });
  });

  it('a machine that is four times as slow: its session’s deadlines are four times as long, and no other’s', async () => {
    const sshd = sandbox.sshd();
    const transport = Duplex.from({ readable: sshd.stdout, writable: sshd.stdin });
    const { user, host } = sandbox.keys;
    const options = { name: 'slow', user: 'root', privateKey: user.private, hostKey: host.public, transport };
    const slow = await Session.open({ ...options, slowness: 4 });
    try {
      const endless = (each: Session) => errorOf(each.run(['sleep', '60'], { deadline: 100 }));
      const began = performance.now();
      const [late, usual] = await Promise.all([endless(slow), endless(session)]);
      expect(performance.now() - began).to.be.above(4 * timeout(100) - 10);
      expect(late.message).to.include(`within ${4 * timeout(100)} ms`);
      expect(usual.message).to.include(`within ${timeout(100)} ms`);
    } finally {
      slow.close();
    }
  });

  it('costs little more than the command itself', async function () {
    const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
    const remote: number[] = [];
    const local: number[] = [];
    const timed = async (into: number[], work: () => unknown) => {
      const began = performance.now();
      await work();
      into.push(performance.now() - began);
    };
    for (let round = 0; round < 100; round++) {
      await timed(local, () => spawnSync('true'));
      await timed(remote, (): Promise<CommandResult> => session.run(['true']));
    }
    const [there, here] = [median(remote), median(local)];
    this.test!.title += ` (${there.toFixed(1)} ms, ${here.toFixed(1)} ms without a session)`;
    expect(there - here, 'milliseconds').to.be.below(25);
  });

  it('warns of nothing while hundreds of commands wait', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    try {
      const controller = new AbortController();
      await Promise.all(Array.from({ length: 50 }, () => session.run(['true'], { signal: controller.signal })));
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('warning', note);
    }
    expect(warnings).to.deep.equal([]);
  });
});
