import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { timeout, poll } from '../core/wait.js';
import { identify, isRunning } from '../core/process-identity.js';
import { attachSandbox, type SandboxState } from '../machine/sandbox/sandbox.js';
import { topology } from '../machine/topology.js';
import { runInLabs } from './run-suites.test-support.js';

describe('what a failure leaves to be looked at (needs root)', function leaving() {
  this.timeout(120_000);
  let out: string;

  before(function needsRoot() {
    if (process.geteuid?.() !== 0) this.skip();
  });
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-left-'))));
  afterEach(() => rmSync(out, { recursive: true }));

  it('--keep on-failure: the lab is as the first failure has left it, and the run ends there', async () => {
    const labs = { sandbox: 'reflecting' } as const;
    const { kept, records, run } = await runInLabs({ filters: ['A1.3'], out, labs, keep: 'on-failure' });
    const [left] = kept;
    const holder = left && identify(left.holder);
    try {
      expect(records.map(({ verdict }) => verdict)).to.deep.equal(['failed']);
      expect(run.planned).to.be.above(1);
      const { machine, nodes } = await attachSandbox(left?.state as SandboxState, topology.nodes);
      const inNs1 = await nodes.node1.run(['ip', '-br', '-n', 'node1-ns1', 'address', 'show', 'dev', 'eth0']);
      expect(inNs1.stdout, inNs1.stderr).to.include('10.211.55.121/24');
      const link = await nodes.node1.run(['ip', '-d', '-n', 'node1-ns2', 'link', 'show', 'dev', 'eth0']);
      expect(link.stdout, link.stderr).to.include('macvlan mode vepa');
      const address = await nodes.node1.run(['ip', '-br', 'address', 'show', 'dev', 'eth1']);
      expect(address.stdout).to.include('10.211.55.18/24');
      // A user can repeat the failed ping by hand, with the names of nodes and endpoints.
      const again = ['ip', 'netns', 'exec', 'node1-ns1', 'ping', '-c', '1', '-w', '10', 'node1-ns2'];
      expect((await nodes.node1.run(again)).stdout).to.include(' 1 received');
      for (const session of [machine, ...Object.values(nodes)]) session.close();
    } finally {
      if (left) process.kill(left.holder, 'SIGKILL');
    }
    const gone = () => Promise.resolve(!holder || !isRunning(holder) || undefined);
    await poll(gone, { what: 'the kept lab to end', deadline: timeout(10_000) });
  });

  it('a set-up that fails: its commands are the evidence of the first experiment, the others refer to that', async () => {
    const { records, run } = await runInLabs({ filters: ['A1.1'], out, labs: { sandbox: 'full' } });
    const [first, ...others] = records;
    expect(others).to.not.be.empty;
    expect(first).to.include({ verdict: 'error' });
    expect(first?.failure).to.include({ code: 'LINK_REFUSED' });
    expect(first?.failure?.details).to.be.a('string');
    const file = first?.evidence.find(({ kind }) => kind === 'commands')?.file ?? '';
    expect(readFileSync(join(out, run.id, file), 'utf8')).to.match(/node1: status 1[^]*\$ ip netns add node1-ns1/);
    expect(first?.evidence.map(({ kind }) => kind)).to.include('links');
    for (const { failure, verdict, evidence, title } of others) {
      expect(verdict, title).to.equal('error');
      expect(failure?.code, title).to.equal('LINK_REFUSED');
      expect(failure?.message, title).to.match(/ \(in the set-up: see A1\.1\)$/);
      expect(failure?.details, title).to.equal(undefined);
      expect(evidence, title).to.deep.equal([]);
    }
  });
});
