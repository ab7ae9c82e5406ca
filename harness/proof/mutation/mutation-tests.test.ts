import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { auditTools } from '../../setup/tools.mjs';
import { runMutationTests } from './mutation-tests.js';
import type { Finding } from './judge.js';
import { faults } from './sample-faults.test-support.js';
import { needs, needsRoot } from '../../setup/needs.test-support.js';

/** Tests the report of missed faults on real labs, with faults that do nothing, or that do not match their description. */
describe('mutation tests (need root and nft)', function mutation() {
  this.timeout(180_000);
  let out: string;
  const findings = new Map<string, Finding>();

  before(async function performOnce() {
    needsRoot(this);
    needs(this, ...auditTools.map(({ name }) => name));
    out = mkdtempSync(join(tmpdir(), 'macvlab-mutation-'));
    const found = (finding: Finding) => void findings.set(finding.id, finding);
    const module = new URL('sample-faults.test-support.js', import.meta.url).href;
    const { signal } = new AbortController();
    const all = await runMutationTests({ faults, module, lab: 'sandbox', out, jobs: 4, signal, found });
    expect(all.map(({ id }) => id)).to.deep.equal(faults.map(({ id }) => id));
  });

  after(() => {
    if (out) rmSync(out, { recursive: true });
  });

  it('misses a fault that does nothing', () => {
    expect(findings.get('network/nothing')).to.include({
      ...{ outcome: 'missed', by: 'A1.1 bridge, ping to another host: answered', verdict: 'passed' },
      reason: 'all 1 experiments passed',
    });
  });

  it('misses one that never injections, or cannot be made', () => {
    expect(findings.get('network/never-injections')).to.include({
      outcome: 'missed',
      reason: 'the fault could not be made: it never struck: behind',
    });
    expect(findings.get('network/changes-no-command')).to.include({
      outcome: 'missed',
      reason: 'the fault could not be made: it never struck: rewrite',
    });
    expect(findings.get('tools/unused')).to.include({
      outcome: 'missed',
      reason: 'the fault could not be made: it never struck: tool',
    });
    const gone = findings.get('tools/gone-before');
    expect(gone?.outcome).to.equal('missed');
    expect(gone?.reason).to.match(/^the fault could not be made: the SSH session with node1 is gone/);
    const failed = findings.get('network/cannot-be-made');
    expect(failed?.outcome).to.equal('missed');
    expect(failed?.reason).to.match(/^the fault could not be made: Cannot find device "nothing"/);
  });

  it('tells who has caught one, and why', () => {
    const { outcome, blamed, by, verdict, reason } = findings.get('network/right') ?? {};
    expect({ outcome, blamed, by, verdict }).to.deep.equal({
      ...{ outcome: 'caught', blamed: true, by: 'A1.1 bridge, ping to another host: answered', verdict: 'failed' },
    });
    expect(reason).to.equal(
      'expected the ping from ns1 to node2 (10.211.55.10) to be answered; ARP request arrived at node2/eth1 in, and nothing came back from there',
    );
  });

  it('tells when it was for another reason', () => {
    expect(findings.get('network/wrong-reason')).to.include({ outcome: 'caught', blamed: false, verdict: 'failed' });
  });

  it('is not content with a run of nothing', () => {
    const { outcome, blamed } = findings.get('network/no-such-experiment') ?? {};
    expect({ outcome, blamed }).to.deep.equal({ outcome: 'missed', blamed: false });
  });

  it('misses trouble of a tool that is blamed on the kernel', () => {
    const { outcome, reason } = findings.get('tools/blamed-on-the-kernel') ?? {};
    expect(outcome).to.equal('missed');
    expect(reason).to.match(/^blamed on the kernel: expected the ping from ns1 to node2/);
  });

  it('misses trouble of a tool behind which a test passes', () => {
    expect(findings.get('tools/passes')).to.include({ outcome: 'missed', verdict: 'passed' });
  });

  it('knows an error of the right kind, and a tool that is only late', () => {
    expect(findings.get('tools/right')).to.include({ outcome: 'caught', blamed: true, verdict: 'error' });
    expect(findings.get('tools/harmless')).to.include({ outcome: 'caught', blamed: true, verdict: 'passed' });
  });

  it('ends at once, with its labs, when it is interrupted', async () => {
    const interruption = new AbortController();
    const reason = new MacvlabError('INTERRUPTED', 'interrupted by a test', { next: 'nothing' });
    const module = new URL('sample-faults.test-support.js', import.meta.url).href;
    const before = children();
    let told = 0;
    const ending = runMutationTests({
      ...{ faults, module, lab: 'sandbox', out, jobs: 2, signal: interruption.signal },
      found: () => {
        told++;
        // Other faults are running at this time.
        expect(children().length).to.be.above(before.length);
        interruption.abort(reason);
      },
    });
    expect(await ending.catch((error: unknown) => error)).to.equal(reason);
    expect(children()).to.deep.equal(before);
    expect(told).to.be.within(1, faults.length - 1);
  });
});

/** Process ids of this process's children (proc(5): task/[tid]/children). */
function children(): string[] {
  const tasks = readdirSync('/proc/self/task');
  return tasks.flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean));
}
