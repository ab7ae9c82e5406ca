import { expect } from 'chai';
import type { Failure } from '../../run/record.js';
import { type Finding, isGreen, judge } from './judge.js';
import type { Fault } from './fault.js';
import type { FaultRun } from './faulty-run.js';

type Record = FaultRun['records'][number];

const record = (verdict: Record['verdict'], reason?: string, failure?: Partial<Failure>): Record => ({
  ...{ key: 'a-key', id: 'A1.1', title: 'a title', verdict, durationMs: 1 },
  ...(reason === undefined ? {} : { reason }),
  ...(failure ? { failure: { code: 'ASSERTION', message: reason ?? '', ...failure } } : {}),
});

function judged(
  fault: Pick<Fault, 'of' | 'expected'>,
  performed: Partial<FaultRun> & Pick<FaultRun, 'exit'>,
  without: Partial<FaultRun> = {},
): Finding {
  const whole: Fault = { id: 'a/b', imitates: 'this', injections: [], experiments: [], ...fault };
  const control = { exit: 0, kernel: '', records: [record('passed')], ...without };
  return judge(whole, { kernel: '', records: [], ...performed }, control, 1000);
}

const network = { of: 'network', expected: { verdict: 'failed', reason: /never at switch/ } } as const;
const tools = { of: 'tools', expected: { verdict: 'error', reason: /CAPTURE_ENDED/ } } as const;

describe('judging a fault', () => {
  it('prefers the experiment with the right reason, which may stand in its details', () => {
    const details = 'seen of the ping from a to b (10.0.0.2): ARP request last seen at a, never at switch/b out\n  …';
    const records = [
      record('passed'),
      record('failed', 'other', {}),
      record('failed', 'expected an answer', { details }),
    ];
    expect(judged(network, { exit: 1, records })).to.include({
      ...{ outcome: 'caught', blamed: true, verdict: 'failed', by: 'A1.1 a title' },
      reason: 'expected an answer; ARP request last seen at a, never at switch/b out',
    });
  });

  it('takes an error for caught, though not for the right verdict', () => {
    const error = record('error', 'never at switch', { code: 'CONTROL_FAILED' });
    expect(judged(network, { exit: 3, records: [error] })).to.include({
      ...{ outcome: 'caught', blamed: false, verdict: 'error', reason: 'CONTROL_FAILED: never at switch' },
    });
  });

  it('misses what a run ended green with, whatever its records say', () => {
    expect(judged(network, { exit: 0, records: [record('failed', 'never at switch', {})] }).outcome).to.equal('missed');
  });

  it('has nothing to say where all was skipped', () => {
    const skipped = record('skipped', 'no VLANs');
    expect(judged(network, { exit: 0, records: [skipped, skipped] }, { records: [skipped] })).to.include({
      ...{ outcome: 'not applicable', reason: 'no VLANs' },
    });
  });

  it('misses what makes experiments be skipped that are performed without it', () => {
    expect(judged(network, { exit: 0, records: [record('skipped', 'no VLANs')] })).to.include({
      ...{ outcome: 'missed', verdict: 'skipped', reason: 'skipped, and without it performed' },
    });
  });

  it('an experiment that is skipped without it, red beside another that is not: the other one counts', () => {
    const other = { ...record('failed', 'the set-up failed', {}), key: 'another-key', id: 'A1.5' };
    const records = [other, record('failed', 'never at switch', {})];
    const without = { records: [record('passed'), { ...record('skipped'), key: 'another-key', id: 'A1.5' }] };
    expect(judged(network, { exit: 1, records }, without)).to.include({
      outcome: 'caught',
      blamed: true,
      by: 'A1.1 a title',
    });
  });

  it('misses what is red without it as well, or is not performed then', () => {
    const performed = { exit: 1, records: [record('failed', 'never at switch', {})] };
    expect(judged(network, performed).outcome).to.equal('caught');
    for (const records of [[record('failed')], [record('error')], [record('skipped')], []])
      expect(judged(network, performed, { records })).to.include({
        ...{ outcome: 'missed', blamed: false, reason: 'not passed without it either' },
      });
    const failure = { code: 'LAB_OPEN', message: 'no lab' };
    expect(judged(network, performed, { records: [], failure })).to.include({
      ...{ outcome: 'missed', blamed: false, reason: 'without it there is no run either: no lab' },
    });
    expect(judged(network, performed, { trouble: 'it has crashed' }).outcome).to.equal('missed');
  });

  it('misses what no experiment has noticed, though the run is red', () => {
    const failure = { code: 'LAB_CLOSE', message: 'never at switch' };
    expect(judged(network, { exit: 3, records: [record('passed')], failure })).to.include({
      ...{ outcome: 'missed', blamed: false, reason: 'never at switch' },
    });
  });

  it('allows tools’ trouble one failure and one passing less than one', () => {
    const error = record('error', 'gone', { code: 'CAPTURE_ENDED' });
    expect(judged(tools, { exit: 3, records: [error] })).to.include({ outcome: 'caught', blamed: true });
    for (const other of [record('failed', 'lost', {}), record('passed')])
      expect(judged(tools, { exit: 3, records: [error, other] }).outcome).to.equal('missed');
    for (const exit of [0, 1]) expect(judged(tools, { exit, records: [error] }).outcome).to.equal('missed');
  });

  it('takes a run that could not even begin for caught', () => {
    const failure = { code: 'CAPTURE_ENDED', message: 'no tcpdump' };
    expect(judged(tools, { exit: 3, failure })).to.include({
      ...{ outcome: 'caught', blamed: true, verdict: 'error', reason: 'CAPTURE_ENDED: no tcpdump' },
    });
  });

  it('expects nothing of a tool that is only late', () => {
    const late = { of: 'tools', expected: { verdict: 'passed', reason: /./ } } as const;
    const error = record('error', 'deadline', { code: 'WAIT_DEADLINE' });
    expect(judged(late, { exit: 0, records: [record('passed')] })).to.include({ outcome: 'caught', blamed: true });
    expect(judged(late, { exit: 3, records: [record('passed'), error] })).to.include({ blamed: false });
    expect(judged(late, { exit: 1, records: [record('failed', 'lost', {})] }).outcome).to.equal('missed');
  });
});

describe('mutation tests', () => {
  const findings = (right: number, wrong: number, missed = 0) =>
    [
      ...Array.from({ length: right }, () => ({ outcome: 'caught', blamed: true })),
      ...Array.from({ length: wrong }, () => ({ outcome: 'caught', blamed: false })),
      ...Array.from({ length: missed }, () => ({ outcome: 'missed', blamed: false })),
    ] as Finding[];

  it('is green when nothing was missed, and nine of ten were blamed rightly', () => {
    expect(isGreen(findings(9, 1))).to.equal(true);
    expect(isGreen(findings(8, 1))).to.equal(false);
    expect(isGreen(findings(40, 0, 1))).to.equal(false);
    expect(isGreen([])).to.equal(false);
  });
});
