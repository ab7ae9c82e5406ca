import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { expect as say } from '../expect/expect.js';
import { Lab } from '../lab/lab.js';
import { vmDriver } from '../machine/vm/vm.js';
import { whyNoGuests } from '../machine/vm/vm.test-support.js';
import type { RunRecord, TestRecord } from './record.js';
import { RunFolder } from './run-folder.js';
import { runExperiment } from './run-experiment.js';
import { LabSlot } from './lab-slot.js';
import { type SuiteState } from './suite-state.js';

const why = whyNoGuests();

/** A guest's kernel writes its log to its console, and the log is judged. verdicts.test.ts has all the cases. */
describe(`a kernel that complains while an experiment is performed${why}`, function complaints() {
  this.timeout(180_000);
  let lab: Lab | undefined;
  let slot: LabSlot;
  let out: string;

  before(async function needsGuests() {
    if (why) this.skip();
    out = mkdtempSync(join(tmpdir(), 'macvlab-complaint-'));
    lab = await Lab.open(vmDriver({ guests: 1 }));
    await lab.listening.start();
    lab.endWiring();
    lab.scopes.enter('suite');
    const run: RunRecord = {
      ...{ schema: 1, id: 'test', macvlab: '0', arguments: [], lab: 'vm', kernel: lab.kernel, machine: '', tools: {} },
      ...{ startedAt: new Date().toISOString(), planned: 1, interrupted: false },
    };
    slot = new LabSlot(lab, {
      folder: RunFolder.create(out, run),
      signal: new AbortController().signal,
      uncaught: new AbortController().signal,
      listener: { remark() {}, begin() {}, testStarted() {}, testEnded() {}, end() {} },
      ...{ bail: false, experimentEnded: undefined, numbers: new Map(), records: [], stop() {} },
    });
  });
  after(async () => {
    await lab?.close();
    if (out) rmSync(out, { recursive: true, force: true });
  });

  /** Runs an experiment with a true assertion, while this line is written to the kernel's log. */
  async function complaining(line: string): Promise<TestRecord> {
    if (!lab) throw new Error('no lab was opened');
    const { machines, node1 } = lab;
    const { kernelLog } = machines;
    const mark = kernelLog.mark();
    const experiment = {
      key: 't-one',
      id: 'T1',
      title: 'a test',
      suite: 'T',
      file: 'suites/t.ts',
      modes: [],
      needs: [],
    };
    const suite: SuiteState = { title: 'T', parent: undefined, modes: [], needs: [] };
    const record = await runExperiment(slot, experiment, suite, async () => {
      await machines.machine.run(['sh', '-c', 'echo "<4>$1" >/dev/kmsg', 'sh', line]);
      say(await node1.link()).to.have.linkFlag('UP');
    });
    await slot.run.folder.written();
    expect(kernelLog.since(mark)).to.have.length(record.verdict === 'passed' ? 0 : 1);
    return record;
  }

  it('has failed, or makes it an error, by what it says; not by any word', async () => {
    const ordinary = await complaining('device eth1 entered promiscuous mode');
    expect(ordinary.verdict, ordinary.reason).to.equal('passed');
    const defect = await complaining('WARNING: CPU: 0 PID: 1 at drivers/net/macvlan.c:1 macvlan_open+0x0');
    expect(defect).to.include({ verdict: 'failed', assertions: 1 });
    expect(defect.failure?.code).to.equal('KERNEL_DEFECT');
    const console = defect.evidence.find(({ kind }) => kind === 'console')?.file ?? '';
    expect(readFileSync(join(out, 'test', console), 'utf8')).to.include('macvlan_open+0x0');
    const stall = await complaining('watchdog: BUG: soft lockup - CPU#0 stuck for 23s!');
    expect(stall).to.include({ verdict: 'error', assertions: 1 });
    expect(stall.failure?.code).to.equal('KERNEL_STALL');
    expect((await complaining('macvlan: nothing at all')).verdict).to.equal('passed');
  });
});
