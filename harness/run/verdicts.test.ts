import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { pause } from '../core/wait.js';
import { expect as say } from '../expect/expect.js';
import type { KernelLog } from '../machine/driver.js';
import type { Exchange } from '../exchange/exchange.js';
import { Lab } from '../lab/lab.js';
import { MissingPrerequisite } from '../core/missing-prerequisite.js';
import { noKernelLog } from '../machine/driver.js';
import { sandboxDriver } from '../machine/sandbox/sandbox.js';
import { arpReply, echoRequest } from '../wire/pattern.js';
import type { RunRecord, TestRecord } from './record.js';
import type { Experiment } from './suite/experiment-spec.js';
import { RunFolder } from './run-folder.js';
import { runExperiment } from './run-experiment.js';
import { LabSlot } from './lab-slot.js';
import { type Notes } from './suite-state.js';
import { type SuiteState } from './suite-state.js';
import { needs, needsRoot } from '../setup/needs.test-support.js';

type KernelComplaint = ReturnType<KernelLog['since']>[number];

/** Proves the meaning of each verdict on a real lab: each way in which an experiment can end really occurs. */
describe('verdicts (needs root)', function verdicts() {
  this.timeout(30_000);
  let lab: Lab;
  let slot: LabSlot;
  let out: string;
  let interruption: AbortController;

  before(function () {
    needsRoot(this);
  });

  beforeEach(async () => {
    out = mkdtempSync(join(tmpdir(), 'macvlab-verdicts-'));
    interruption = new AbortController();
    lab = await Lab.open(sandboxDriver);
    await lab.listening.start();
    lab.endWiring();
    lab.scopes.enter('suite');
    await lab.configure({
      node1: { addresses: ['10.0.0.1/24'] },
      node2: { addresses: ['10.0.0.2/24'] },
      router: { addresses: ['10.0.0.254/24'] },
    });
    const run: RunRecord = {
      schema: 1,
      id: 'test',
      macvlab: '0',
      arguments: [],
      lab: 'sandbox',
      kernel: lab.kernel,
      machine: '',
      tools: {},
      startedAt: new Date().toISOString(),
      planned: 1,
      interrupted: false,
    };
    slot = new LabSlot(lab, {
      folder: RunFolder.create(out, run),
      signal: interruption.signal,
      uncaught: new AbortController().signal,
      listener: { remark() {}, begin() {}, testStarted() {}, testEnded() {}, end() {} },
      bail: false,
      experimentEnded: undefined,
      numbers: new Map(),
      records: [],
      stop() {},
    });
  });

  afterEach(async () => {
    await lab.close();
    rmSync(out, { recursive: true });
  });

  async function performed(
    body: (notes: Notes) => Promise<void>,
    needs: string[] = [],
    suite: SuiteState = { title: 'T', parent: undefined, modes: [], needs: [] },
  ): Promise<TestRecord> {
    const experiment = { key: 't-one', id: 'T1', title: 'a test', suite: 'T', file: 'suites/t.ts', modes: [], needs };
    const record = await runExperiment(slot, experiment as unknown as Experiment, suite, body);
    await slot.run.folder.written();
    return record;
  }

  const inSandbox = (script: string) => lab.machines.machine.run(['sh', '-c', script]);

  /** Two ports of the switch that exchange no frames, while both reach the router. */
  const node1Isolated = async () => {
    await inSandbox('for port in node1 node2; do ip netns exec switch bridge link set dev $port isolated on; done');
  };

  /** Rows of tshark's fields. */
  function fieldsOf(file: string, options: string[], ...fields: string[]): string[][] {
    const columns = fields.flatMap((field) => ['-e', field]);
    const text = execFileSync('tshark', ['-r', file, ...options, '-T', 'fields', ...columns], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
  }

  it('passed: with the frames that prove it', async () => {
    const record = await performed(async ({ observe }) => {
      say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
      observe('outcome', 'answered');
    });
    expect(record).to.include({ verdict: 'passed', assertions: 1 });
    expect(record.observed).to.deep.equal({ outcome: 'answered' });
    expect(record.frames).to.be.above(6);
    const pcap = record.evidence.find(({ file }) => file.endsWith('.pcapng'));
    expect(pcap?.file).to.equal('evidence/000-t1/t1.pcapng');
    expect(pcap).not.to.have.property('packets');
    const told = execFileSync('tcpdump', ['-n', '-r', join(out, 'test', pcap?.file ?? '')], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(told).to.include('10.0.0.1 > 10.0.0.2: ICMP echo request');
  });

  it('the pcapng of a lost ping: per point the frames that were captured, and the way of the lost frame', async function () {
    needs(this, 'tshark', 'capinfos');
    let counts: [string, number][] = [];
    const record = await performed(async () => {
      await node1Isolated();
      const ping = await lab.ping(lab.node1, lab.node2);
      await pause(200);
      counts = lab.listening.captures.map(({ name, sightings }) => [name, sightings.length]);
      say(ping).to.be.answered();
    });
    expect(record.verdict, record.reason).to.equal('failed');
    const { file = '', packets = [] } = record.evidence.find((each) => each.file.endsWith('.pcapng')) ?? {};
    const path = join(out, 'test', file);
    const about = execFileSync('capinfos', [path], { encoding: 'utf8', stdio: 'pipe' });
    expect(about)
      .to.match(/Capture comment: +T1 a test\n/)
      .and.to.match(/Capture comment: +verdict: failed\n/);
    const points = [...about.matchAll(/^ +Name = (.*)$/gm)].map(([, name]) => name ?? '');
    const rows = fieldsOf(path, [], 'frame.interface_name');
    const counted = points.map((name) => [name, rows.filter(([at]) => at === name).length]);
    // Frames after the ping, such as a kernel's own, can only add.
    for (const [index, [name, count]] of counts.entries()) {
      expect(counted[index]?.[0]).to.equal(name);
      expect(counted[index]?.[1]).to.be.within(count, count + 10);
    }
    expect(rows).to.have.lengthOf(record.frames);
    expect(packets).to.have.lengthOf(1);
    const filter = `frame.packet_id == ${packets[0]}`;
    const way = fieldsOf(path, ['-Y', filter], 'frame.interface_name', 'frame.comment');
    expect(way.map(([at]) => at)).to.include.members(['node1/eth1 out', 'switch/node1 in', 'router/eth1']);
    expect(way.map(([at]) => at)).not.to.include('switch/node2 out');
    const notes = way.filter(([, note]) => note !== '');
    expect(notes).to.deep.equal([
      [
        'switch/node1 in',
        'last seen here: ARP request of the ping from node1 to node2; expected at switch/node2 out, missing',
      ],
    ]);
    const witnesses = fieldsOf(path, ['-Y', 'frame.comment == "witness"'], 'frame.interface_name');
    expect(witnesses.length).to.be.above(4);
  });

  it('passed: also when witnesses were sent beside the answer, whose frames are no part of the exchange', async () => {
    const record = await performed(async () => {
      const ping = await lab.ping(lab.node1, lab.node2, { alwaysWitness: true });
      say(ping).to.be.answered();
      await say(ping).not.to.have.seen(
        arpReply({ isAt: lab.node2.mac, tell: '10.0.0.254' }),
        lab.switch.port('node2').in,
      );
      await say(ping).to.have.seenTimes(1, arpReply({ isAt: lab.node2.mac }), lab.switch.port('node2').in);
    });
    expect(record.verdict, record.reason).to.equal('passed');
    const captured = record.evidence.find(({ kind }) => kind === 'frames')?.file ?? '';
    expect(readFileSync(join(out, 'test', captured), 'utf8')).to.include('ARP who-has 10.0.0.2 tell 10.0.0.254');
  });

  it('failed: what was expected, the exchange that was seen, and a script that repeats it', async () => {
    const record = await performed(async () => {
      say(await lab.ping(lab.node1, lab.node2)).to.be.lost();
    });
    expect(record).to.include({
      verdict: 'failed',
      reason: 'expected the ping from node1 to node2 (10.0.0.2) to be lost',
    });
    expect(record.failure?.code).to.equal('ASSERTION');
    expect(record.failure?.details).to.match(/switch\/node1 in +ARP who-has 10.0.0.2 tell 10.0.0.1/);
    const repro = record.evidence.find(({ kind }) => kind === 'repro');
    const script = join(out, 'test', repro?.file ?? '');
    execFileSync('sh', ['-n', script]);
    expect(readFileSync(script, 'utf8')).to.match(/^probe .* ip netns exec node1 ping .* 10\.0\.0\.2$/m);
  });

  it('failed: a loss whose reason is another than the expected one', async () => {
    await lab.switch.set('node1', 'isolated', true);
    await lab.switch.set('node2', 'isolated', true);
    const record = await performed(async () => {
      const ping = await lab.ping(lab.node1, lab.node2);
      say(ping).to.be.lost(lab.switch.port('node1').in, lab.switch.port('node2').out);
      say(ping).to.be.lost(lab.switch.port('node2').out, lab.node2.wire.in);
    });
    expect(record.verdict).to.equal('failed');
    expect(record.reason).to.include('lost between switch/node2 out and node2/eth1 in');
    expect(record.assertions).to.equal(4);
  });

  it('failed: an assertion that takes time, and that nobody awaits', async () => {
    const record = await performed(async () => {
      const ping = await lab.ping(lab.node1, lab.node2);
      void say(ping).to.have.seen(echoRequest({ token: 'ffffffffffffffff' }), lab.node2.wire.in);
    });
    expect(record).to.include({ verdict: 'failed' });
    expect(record.reason).to.include('token ffffffffffffffff to be seen at node2/eth1 in');
  });

  it('failed: somebody else answers for the receiver, whichever outcome was expected', async () => {
    const usurp = 'ip -n router address add 10.0.0.2/32 dev eth1 && ip -n node2 link set dev eth1 arp off';
    expect((await inSandbox(usurp)).stderr).to.equal('');
    const answered = await performed(async () => {
      say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
    });
    expect(answered).to.include({ verdict: 'failed' });
    expect(answered.failure?.details).to.include('somebody else answered');
    const lost = await performed(async () => {
      say(await lab.ping(lab.node1, lab.node2)).to.be.lost();
    });
    expect(lost).to.include({ verdict: 'failed' });
  });

  it('failed in a stretch of its own: that is undone, too, and the next one finds the lab as it was', async () => {
    const first = await performed(async () => {
      lab.scopes.enter('never left');
      await lab.node1.namespace('left');
      say(1).to.equal(2);
    });
    expect(first.verdict).to.equal('failed');
    const second = await performed(async () => {
      await lab.node1.namespace('left');
      say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
    });
    expect(second.verdict, second.reason).to.equal('passed');
  });

  it('error: this machine’s clock was set in both runs of it, also if all assertions held', async () => {
    const now = Date.now.bind(Date);
    let runs = 0;
    try {
      const record = await performed(() => {
        const back = ++runs * 60_000;
        Date.now = () => now() - back;
        say(1).to.equal(1);
        return Promise.resolve();
      });
      expect(record).to.include({ verdict: 'error', assertions: 1 });
      expect(record.failure?.code).to.equal('CLOCK_JUMPED');
      expect(record.reason).to.match(/jumped (59999|6000[01]) ms back/);
      expect(record.repeated).to.match(/clock was set by -(59999|6000[01]) ms during the first run/);
      expect(runs).to.equal(2);
    } finally {
      Date.now = now;
    }
  });

  for (const verdict of ['passed', 'failed'] as const) {
    it(`${verdict}: this machine’s clock was set once, so only the second run counts, in a lab as before`, async () => {
      const now = Date.now.bind(Date);
      let runs = 0;
      try {
        const record = await performed(async ({ observe }) => {
          await lab.node1.namespace('repeated');
          observe('run', ++runs);
          if (runs === 1) Date.now = () => now() + 60_000;
          say(runs).to.equal(verdict === 'passed' ? 2 : 1);
        });
        expect(record).to.include({ verdict, assertions: 1 });
        expect(record.observed).to.deep.equal({ run: 2 });
        expect(record.repeated).to.match(/clock was set by (59999|6000[01]) ms during the first run/);
      } finally {
        Date.now = now;
      }
    });
  }

  const obstacles = {
    'its kernel reported a bug': () => {
      const splat = { machine: 'node1', line: 'WARNING: CPU: 0 PID: 1 at net/core/dev.c', kind: 'defect' } as const;
      Object.assign(lab.machines, { kernelLog: { ...noKernelLog, since: () => [splat] } });
    },
    'its changes cannot be reverted': () => {
      lab.scopes.current.defer('a change', () => Promise.reject(new Error('it stays')));
    },
  };
  for (const [why, prevent] of Object.entries(obstacles)) {
    it(`no second run after this machine’s clock was set: ${why}`, async () => {
      const now = Date.now.bind(Date);
      let runs = 0;
      try {
        const record = await performed(() => {
          runs++;
          Date.now = () => now() + 60_000;
          prevent();
          say(1).to.equal(1);
          return Promise.resolve();
        });
        expect(record.verdict).to.be.oneOf(['failed', 'error']);
        expect(record.repeated).to.equal(undefined);
        expect(runs).to.equal(1);
      } finally {
        Date.now = now;
      }
    });
  }

  it('error: nothing was asserted', async () => {
    const record = await performed(async () => {
      await lab.ping(lab.node1, lab.node2);
    });
    expect(record).to.include({ verdict: 'error' });
    expect(record.failure?.code).to.equal('NO_EVIDENCE');
  });

  it('error: what was asserted rests on nothing that the experiment has asked the lab', async () => {
    const link = await lab.node1.link();
    const record = await performed(() => Promise.resolve(say(link).to.have.linkFlag('UP')));
    expect(record).to.include({ verdict: 'error', assertions: 1 });
    expect(record.failure?.code).to.equal('NO_EVIDENCE');
    expect(record.reason).to.equal('T1 has asked the lab nothing: what it asserts was known before');
  });

  it('error: an assertion is about a promise, which is there whatever it brings', async () => {
    const record = await performed(async () => {
      const ping = lab.ping(lab.node1, lab.node2);
      await ping;
      say(ping).to.not.equal(undefined);
    });
    expect(record.verdict).to.equal('error');
    expect(record.reason).to.equal('an assertion is about a promise, and not about what it brings');
  });

  it('error: the second assertion of a chain is not called', async () => {
    const record = await performed(async () => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- the user has forgotten the call
      say(await lab.ping(lab.node1, lab.node2)).to.exist.and.be.answered;
    });
    expect(record.verdict).to.equal('error');
    expect(record.reason).to.equal('T1 has an expect() that asserts nothing');
  });

  it('error: a ping is still under way, of which something may be asserted later, or nothing', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const record = await performed(async () => {
      say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
      late = lab.ping(lab.node1, lab.node2).catch(() => undefined);
    });
    await late;
    expect(record.verdict).to.equal('error');
    expect(record.reason).to.equal('T1 ended while a ping that it had begun was still under way');
  });

  it('error: it asserts something about a ping of before, of which no frame is known any more', async () => {
    const before = await lab.ping(lab.node1, lab.node2);
    say(before).to.be.answered();
    const { in: arrival } = lab.node2.wire;
    const claims = [
      () => Promise.resolve(say(before).to.be.answered()),
      () => say(before).not.to.have.seen(arpReply({ isAt: '02:00:00:00:00:77' }), arrival),
      () => say(before).to.have.seenTimes(0, echoRequest({ token: 'ffffffffffffffff' }), arrival),
    ];
    for (const claim of claims) {
      const record = await performed(async () => {
        await lab.node1.link();
        await claim();
      });
      expect(record.verdict, String(claim)).to.equal('error');
      expect(record.reason).to.equal('the frames of the ping from node1 to node2 (10.0.0.2) are forgotten');
    }
  });

  it('error: a ping of which no frame was seen is taken for lost, in whatever words', async () => {
    for (const claim of [
      (ping: Exchange) => say(ping).to.be.lost(),
      (ping: Exchange) => say(ping).not.to.be.answered(),
      (ping: Exchange) => say(ping.outcome).to.equal('lost'),
    ]) {
      const record = await performed(async () => {
        const ping = await lab.ping(lab.node1, lab.node2);
        ping.ping = { ...ping.ping, received: 0 };
        claim(ping);
      });
      expect(record.verdict, String(claim)).to.equal('error');
      expect(record.failure?.code).to.equal('NO_EVIDENCE');
      expect(record.reason).to.match(/^no frame of the ping from node1 to node2 .*was seen anywhere$/);
    }
  });

  it('failed: by an assertion that somebody has caught, or by one before something turned out to be lacking', async () => {
    const caught = await performed(async () => {
      const ping = await lab.ping(lab.node1, lab.node2);
      say(ping).to.be.answered();
      try {
        say(ping).to.be.lost();
      } catch {
        // A user may catch the error of an assertion.
      }
    });
    const behind = await performed(async () => {
      const ping = await lab.ping(lab.node1, lab.node2);
      await Promise.resolve()
        .then(() => say(ping).to.be.lost())
        .catch(() => Promise.reject(new MissingPrerequisite('machine', 'needs a missing machine')));
    });
    for (const record of [caught, behind])
      expect(record).to.include({
        verdict: 'failed',
        reason: 'expected the ping from node1 to node2 (10.0.0.2) to be lost',
      });
  });

  it('passed: what chai tries for itself, and catches, is no assertion of the experiment', async () => {
    const record = await performed(async () => {
      say(await lab.node1.link()).to.not.include({ ifname: 'no', mtu: 1 });
    });
    expect(record.verdict, record.reason).to.equal('passed');
  });

  it('as a set-up’s assertions have it: what does not hold, is not called or not awaited there', async () => {
    const setUpBy = async (work: (ping: Exchange) => unknown): Promise<TestRecord> => {
      const suite: SuiteState = { title: 'T', parent: undefined, modes: [], needs: [] };
      await slot.enterSuite(suite, 'T', {});
      await slot.attempt(suite, async () => void work(await lab.ping(lab.node1, lab.node2)));
      const record = await performed(async () => say(await lab.ping(lab.node1, lab.node2)).to.be.answered(), [], suite);
      await slot.leaveSuite(suite);
      return record;
    };
    const sound = await setUpBy((ping) => say(ping).to.be.answered());
    expect(sound.verdict, sound.reason).to.equal('passed');
    expect((await setUpBy(() => undefined)).verdict).to.equal('passed');
    // eslint-disable-next-line @typescript-eslint/unbound-method -- as above
    expect(await setUpBy((ping) => say(ping).to.be.lost)).to.include({
      ...{ verdict: 'error', reason: 'the set-up of “T” has an expect() that asserts nothing' },
    });
    const unawaited = await setUpBy(
      (ping) => void say(ping).to.have.seenTimes(7, echoRequest({ token: ping.token }), lab.node2.wire.in),
    );
    expect(unawaited.verdict).to.equal('failed');
    expect(unawaited.reason).to.match(/to be seen 7 times at .*, it was seen 1 times$/);
  });

  it('error: its evidence or its record cannot be written, whatever was asserted', async () => {
    const sound = async () => say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
    const { path } = slot.run.folder;
    const experiment = {
      key: 't-one',
      id: 'T1',
      title: 'a test',
      suite: 'T',
      file: 'suites/t.ts',
      modes: [],
      needs: [],
    };
    const perform = () =>
      runExperiment(slot, experiment, { title: 'T', parent: undefined, modes: [], needs: [] }, async () => {
        await lab.node1.namespace('left');
        await sound();
      });
    const folders = ['records', 'evidence'].map((name) => join(path, name));
    for (const folder of folders) {
      renameSync(folder, `${folder}.away`);
      writeFileSync(folder, 'no folder');
      const record = await perform();
      expect(record, folder).to.include({ verdict: 'error', assertions: 1 });
      expect(record.failure?.code, folder).to.equal('OUT_NOT_WRITABLE');
      // The changes of the experiment are reverted even so.
      expect(lab.node1.endpoints, folder).to.deep.equal([]);
    }
  });

  it('error: pings were sent, and not one frame of them is there to prove it', async () => {
    const blind = () =>
      performed(async () => {
        say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
        // Frames that are still on their way to the captures must not arrive later.
        await pause(500);
        for (const capture of lab.listening.captures) capture.forget();
      });
    let record = await blind();
    // Kernels send router and neighbour solicitations at any time. Such a frame may come after the wait.
    for (let tries = 1; record.frames > 0 && tries < 5; tries++) record = await blind();
    expect(record).to.include({ verdict: 'error', assertions: 1, frames: 0 });
    expect(record.failure?.code).to.equal('NO_EVIDENCE');
    expect(record.reason).to.include('no capture has seen a frame');
  });

  it('error: the positive control does not pass', async () => {
    await inSandbox('ip -n router address flush dev eth1');
    const record = await performed(async () => {
      await inSandbox('ip -n switch link set dev node2 down');
      say(await lab.ping(lab.node1, lab.node2)).to.be.lost();
    });
    expect(record.failure?.code, record.reason).to.equal('CONTROL_FAILED');
    expect(record.verdict).to.equal('error');
  });

  it('error: a negative on a capture that has died', async () => {
    const record = await performed(async () => {
      const ping = await lab.ping(lab.node1, lab.node2);
      await inSandbox('for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != tcpdump ] || kill -KILL ${p#/proc/}; done');
      await say(ping).not.to.have.seen(echoRequest({ token: 'ffffffffffffffff' }), lab.switch.port('node1').in);
    });
    expect(record.failure?.code, record.reason).to.equal('CAPTURE_ENDED');
    expect(record.reason).to.match(/capture on \S+/);
  });

  it('error: a cable of the lab goes away', async () => {
    const record = await performed(async () => {
      await inSandbox('ip -n switch link delete dev node2');
      say(await lab.ping(lab.node1, lab.node2)).to.be.lost();
    });
    expect(record.verdict, record.reason).to.equal('error');
    expect(record.failure?.code).to.be.oneOf(['CAPTURE_ENDED', 'CONTROL_FAILED', 'LINK_REFUSED']);
  });

  it('error: a node is gone, for this experiment and all that follow', async () => {
    const first = await performed(async () => {
      await inSandbox('kill -KILL $(for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != sshd ] || echo ${p#/proc/}; done)');
      say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
    });
    expect(first.failure?.code, first.reason).to.equal('REMOTE_DEAD');
    const second = await performed(async () => say(await lab.ping(lab.node1, lab.node2)).to.be.answered());
    expect(second.verdict).to.equal('error');
    expect(second.failure?.next).to.be.a('string');
  });

  it('error: what an experiment leaves behind damages the lab', async () => {
    const first = await performed(async () => {
      lab.scopes.current.defer('a thing that stays', () => Promise.reject(new Error('it is stuck')));
      say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
    });
    expect(first.failure?.code).to.equal('UNDO_FAILED');
    expect(first.failure?.details).to.include('a thing that stays: it is stuck');
    const second = await performed(async () => say(await lab.ping(lab.node1, lab.node2)).to.be.answered());
    expect(second).to.include({ verdict: 'error', assertions: 0 });
  });

  it('skipped: only for what the kernel does not know, in its words', async () => {
    const record = await performed(
      () => Promise.resolve(say(1).to.equal(2)).then(() => undefined),
      ['macvlan mode sideways'],
    );
    expect(record.verdict).to.equal('skipped');
    expect(record.reason).to.include('sideways');
  });

  it('skipped: for what turns out to be lacking in the middle of it; what it made is undone', async () => {
    const record = await performed(async () => {
      say(1).to.equal(1);
      await lab.node1.namespace('ns1');
      throw new MissingPrerequisite('machine', 'needs a third machine');
    });
    expect(record).to.include({ verdict: 'skipped', reason: 'needs a third machine', assertions: 1 });
    expect(record).to.not.have.property('failure');
    expect(lab.node1.endpoints).to.deep.equal([]);
  });

  it('skipped: for what turns out to be lacking when its suite is set up', async () => {
    const suite: SuiteState = { title: 'T', parent: undefined, modes: [], needs: [] };
    await slot.enterSuite(suite, 'T', {});
    await slot.attempt(suite, () => Promise.reject(new MissingPrerequisite('machine', 'needs a router')));
    await slot.attempt(suite, () => Promise.reject(new Error('what comes next is not even tried')));
    const record = await performed(() => Promise.reject(new Error('nor is this')), [], suite);
    expect(record).to.include({ verdict: 'skipped', reason: 'needs a router' });
    await slot.leaveSuite(suite);
  });

  describe('a set-up that never ends', () => {
    /** The result of an experiment that follows. */
    const behind = async (meanwhile: () => void) => {
      const suite: SuiteState = { title: 'T', parent: undefined, modes: [], needs: [] };
      await slot.enterSuite(suite, 'T', {});
      await slot.attempt(suite, () => {
        meanwhile();
        return new Promise<void>(() => undefined);
      });
      return performed(async () => say(await lab.ping(lab.node1, lab.node2)).to.be.answered(), [], suite);
    };

    it('its deadline: error, and the lab is damaged', async () => {
      const record = await behind(() => {
        process.env.MACVLAB_TIMEOUT_FACTOR = '0.002';
      }).finally(() => delete process.env.MACVLAB_TIMEOUT_FACTOR);
      expect(record).to.include({ verdict: 'error', reason: 'waited 240 ms for the set-up of “T” to end' });
      expect(slot.isUnfit).to.equal(true);
    }).timeout(8000);

    it('the run is interrupted: error, at once', async () => {
      const reason = new MacvlabError('INTERRUPTED', 'interrupted by a test', { next: 'nothing' });
      const record = await behind(() => interruption.abort(reason));
      expect(record.failure?.code).to.equal('INTERRUPTED');
    }).timeout(8000);

    it('its lab goes: error, at once', async () => {
      const record = await behind(
        () =>
          void inSandbox(
            'kill -KILL $(for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != sshd ] || echo ${p#/proc/}; done)',
          ).catch(() => undefined),
      );
      expect(record).to.include({ verdict: 'error', assertions: 0 });
      expect(record.failure?.code).to.equal('LAB_DAMAGED');
    }).timeout(8000);
  });

  describe('where the lab’s kernel is its own', () => {
    /** The splats that a guest's console would have shown. The test sets them; harness/machine/vm/vm.guest.test.ts tests the console. */
    let heard: KernelComplaint[];
    /** The splats that the console has not shown yet. */
    let late: KernelComplaint[];
    const text = 'a first line\nthe last line\n';

    beforeEach(() => {
      heard = [{ machine: 'guest', line: 'WARNING: of another test', kind: 'defect' }];
      late = [];
      lab.machines.kernelLog = {
        settle: () => Promise.resolve(void heard.push(...late.splice(0))),
        mark: () => heard.length,
        since: (mark) => heard.slice(mark),
        text: () => new Map([['guest', text]]),
      };
      slot.judgedSplats = heard.length;
    });

    /** Runs an experiment with a true assertion while the kernel reports these splats. */
    const complaining = (...complaints: Omit<KernelComplaint, 'machine'>[]) =>
      performed(async () => {
        heard.push(...complaints.map((complaint) => ({ machine: 'guest', ...complaint })));
        say(await lab.node1.link()).to.have.linkFlag('UP');
      });
    const defect = { line: 'BUG: unable to handle page fault', kind: 'defect' } as const;

    const consoles = ({ evidence }: TestRecord) =>
      evidence
        .filter(({ kind }) => kind === 'console')
        .map(({ file }) => readFileSync(join(out, 'test', file), 'utf8'));

    it('passed: what it said before is not this test’s', async () => {
      const record = await complaining();
      expect(record.verdict, record.reason).to.equal('passed');
      expect(consoles(record)).to.deep.equal([]);
    });

    it('failed: a bug that the kernel has found in itself, whatever was asserted', async () => {
      const record = await complaining(defect);
      expect(record).to.include({
        verdict: 'failed',
        reason: 'the kernel of guest has reported a bug of its own: BUG: unable to handle page fault',
      });
      expect(record.failure).to.include({ code: 'KERNEL_DEFECT', details: text.trimEnd() });
      expect(consoles(record)).to.deep.equal([text]);
      expect(record.evidence.map(({ kind }) => kind)).to.include('repro');
      expect((await complaining()).verdict).to.equal('passed');
    });

    it('failed: a bug that it has found since the test before, when suites were undone and set up', async () => {
      expect((await complaining()).verdict).to.equal('passed');
      heard.push({ machine: 'guest', ...defect });
      expect((await complaining()).failure?.code).to.equal('KERNEL_DEFECT');
      expect((await complaining()).verdict).to.equal('passed');
    });

    it('failed: a bug of which the console has still to tell when the test ends, and not the next test', async () => {
      const record = await performed(async () => {
        late.push({ machine: 'guest', ...defect });
        say(await lab.node1.link()).to.have.linkFlag('UP');
      });
      expect(record.failure?.code).to.equal('KERNEL_DEFECT');
      expect((await complaining()).verdict).to.equal('passed');
    });

    it('failed: a bug that it has found while what the test made was undone', async () => {
      const record = await performed(() => {
        lab.scopes.current.defer('a thing with a bug in its end', () => {
          heard.push({ machine: 'guest', ...defect });
          return Promise.resolve();
        });
        say(1).to.equal(1);
        return Promise.resolve();
      });
      expect(record.verdict, record.reason).to.equal('failed');
      expect(record.failure?.code).to.equal('KERNEL_DEFECT');
      expect(consoles(record)).to.deep.equal([text]);
    });

    describe('and has panicked', () => {
      let death: AbortController;
      const panic = () => {
        const reason = new MacvlabError('KERNEL_PANIC', 'guest is gone: Kernel panic - not syncing', {
          evidence: text,
          next: 'look',
        });
        heard.push({ machine: 'guest', line: 'Kernel panic - not syncing', kind: 'defect' });
        death.abort(reason);
      };

      beforeEach(() => {
        death = new AbortController();
        Object.defineProperty(lab, 'death', { value: death.signal });
      });

      it('failed: at once, though the test waits for something else', async () => {
        const record = await performed(async () => {
          panic();
          await new Promise(() => undefined);
        });
        expect(record).to.include({ verdict: 'failed', reason: 'guest is gone: Kernel panic - not syncing' });
        expect(record.failure?.code).to.equal('KERNEL_PANIC');
        expect(record.durationMs).to.be.below(5000);
        expect(consoles(record)).to.deep.equal([text]);
      });

      it('failed: though all that the test did was done by then', async () => {
        const record = await performed(() => {
          say(1).to.equal(1);
          panic();
          return Promise.resolve();
        });
        expect(record.verdict, record.reason).to.equal('failed');
        expect(record.failure?.code).to.equal('KERNEL_PANIC');
      });

      it('error: all that follow in that lab, which do not even begin', async () => {
        await performed(async () => {
          panic();
          await new Promise(() => undefined);
        });
        expect(slot.isUnfit).to.equal(true);
        let begun = false;
        const second = await performed(async () => {
          begun = true;
          say(await lab.ping(lab.node1, lab.node2)).to.be.answered();
        });
        expect(second).to.include({ verdict: 'error', assertions: 0 });
        expect(second.failure?.code).to.equal('LAB_DAMAGED');
        expect(second.reason).to.include('Kernel panic - not syncing');
        expect(begun).to.equal(false);
      });
    });
  });

  it('error: interrupted, at once', async () => {
    const reason = new MacvlabError('INTERRUPTED', 'interrupted by a test', { next: 'nothing' });
    const hanging = performed(async () => {
      interruption.abort(reason);
      await new Promise(() => undefined);
    });
    expect((await hanging).failure?.code).to.equal('INTERRUPTED');
  });

  it('leaves one record per experiment', async () => {
    await performed(async () => say(await lab.ping(lab.node1, lab.node2)).to.be.answered());
    expect(readdirSync(join(out, 'test', 'records'))).to.have.lengthOf(1);
  });
});
