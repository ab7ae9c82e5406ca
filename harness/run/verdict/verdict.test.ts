import { readFileSync } from 'node:fs';
import { AssertionError, expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';
import type { Facts } from './facts.js';
import { rules, verdictOf } from './verdict.js';

const answered = {
  way: 'ns1 to node2',
  outcome: 'answered',
  reason: 'answered',
  wasSeen: false,
  wasConsulted: true,
} as const;

/** Facts of an experiment that passes: it asserts something, reads the lab, and captures recorded its ping. */
const sound: Facts = {
  ...{ id: 'T1', splats: [], consoles: new Map([['guest', 'its last line']]) },
  ...{ assertions: 1, asked: 3, readings: 0, pingsUnderWay: 0, frames: 8, pings: [answered] },
};

const lost = { ...answered, outcome: 'lost', reason: 'nothing seen' } as const;
const error = (
  code: 'UNDO_FAILED' | 'REMOTE_DEAD' | 'KERNEL_PANIC' | 'OUT_NOT_WRITABLE' | 'LAB_DAMAGED' | 'LINK_UNREADABLE',
) => new MacvlabError(code, `of ${code}`, { next: 'look' });
const defect = { machine: 'guest', line: 'BUG: unable to handle page fault', kind: 'defect' } as const;
const stall = { machine: 'guest', line: 'rcu: INFO: rcu_preempt self-detected stall', kind: 'stall' } as const;

/** For each row of the table, in its order: facts for which it holds, and the outcome. */
const rows: [when: string, facts: Partial<Facts>, verdict: string, code: string | undefined, reason: RegExp][] = [
  ['the experiment cannot begin', { blocked: error('LAB_DAMAGED') }, 'error', 'LAB_DAMAGED', /^of LAB_DAMAGED$/],
  [
    'an assertion does not hold, and the clock was not set',
    { thrown: new AssertionError('expected this\nseen that') },
    ...(['failed', 'ASSERTION', /^expected this$/] as const),
  ],
  ['the kernel panics', { death: error('KERNEL_PANIC') }, 'failed', 'KERNEL_PANIC', /^of KERNEL_PANIC$/],
  [
    'the kernel reports a bug of its own',
    { splats: [stall, defect] },
    ...(['failed', 'KERNEL_DEFECT', /^the kernel of guest has reported a bug of its own: BUG: unable/] as const),
  ],
  [
    'the kernel gets no processor for long',
    { splats: [stall] },
    ...(['error', 'KERNEL_STALL', /^the kernel of guest got no processor for long: rcu/] as const),
  ],
  ['the clock of this machine is set', { clockJump: -70 }, 'error', 'CLOCK_JUMPED', /jumped 70 ms back/],
  ['the experiment ends with an error', { thrown: error('REMOTE_DEAD') }, 'error', 'REMOTE_DEAD', /^of REMOTE_DEAD$/],
  ['nothing is asserted', { assertions: 0 }, 'error', 'NO_EVIDENCE', /without having asserted anything/],
  ['a ping is still under way at the end', { pingsUnderWay: 1 }, 'error', 'NO_EVIDENCE', /still under way/],
  [
    'the evidence cannot be collected',
    { uncollected: error('LINK_UNREADABLE') },
    ...(['error', 'LINK_UNREADABLE', /^of LINK_UNREADABLE$/] as const),
  ],
  ['the experiment runs nothing in the lab', { asked: 0 }, 'error', 'NO_EVIDENCE', /has asked the lab nothing/],
  [
    'no assertion is about a ping or a state',
    { pings: [{ ...answered, wasConsulted: false }] },
    ...(['error', 'NO_EVIDENCE', /asserts nothing about any of them/] as const),
  ],
  [
    'pings are sent, and no frame is captured',
    { frames: 0 },
    ...(['error', 'NO_EVIDENCE', /no capture has seen a frame/] as const),
  ],
  [
    'a ping is lost, and none of its frames is captured',
    { pings: [answered, lost] },
    ...(['error', 'NO_EVIDENCE', /^no frame of the ping from ns1 to node2 was seen anywhere$/] as const),
  ],
  ['a change cannot be reverted', { left: error('UNDO_FAILED') }, 'error', 'UNDO_FAILED', /^of UNDO_FAILED$/],
  [
    'the evidence or the record cannot be written',
    { unkept: error('OUT_NOT_WRITABLE') },
    ...(['error', 'OUT_NOT_WRITABLE', /^of OUT_NOT_WRITABLE$/] as const),
  ],
  ['none of these', { finding: 'ttl: 63' }, 'passed', undefined, /^ttl: 63$/],
];

describe('the verdict of an experiment', () => {
  it('each rule has its row here, in the order of the table', () => {
    expect(rules.map(({ when }) => when)).to.deep.equal(rows.map(([when]) => when));
  });

  it('docs/verdicts.md lists the rules in the same order', () => {
    const page = readFileSync(new URL('../../../../docs/verdicts.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| \d+ \| ([^|]+?) +\| (\w+)/gm)];
    expect(listed.map(([, when]) => when)).to.deep.equal(rows.map(([when]) => when));
    const verdicts = listed.map(([, , verdict]) => verdict);
    // According to the first row, the set-up determines the result of its experiments.
    expect(verdicts.slice(1)).to.deep.equal(rows.slice(1).map(([, , verdict]) => verdict));
  });

  for (const [when, facts, verdict, code, reason] of rows) {
    it(`${when}: ${verdict}${code === undefined ? '' : `, ${code}`}`, () => {
      const outcome = verdictOf({ ...sound, ...facts });
      expect(outcome.verdict).to.equal(verdict);
      expect(outcome.failure?.code).to.equal(code);
      expect(outcome.reason).to.match(reason);
    });
  }

  it('two rows hold: the one before decides', () => {
    for (const [index, [when, facts, verdict, code]] of rows.entries()) {
      for (const [laterWhen, later] of rows.slice(index + 1)) {
        // By its condition, the second row does not hold if the clock was set.
        if (when.includes('the clock was not set') && 'clockJump' in later) continue;
        const outcome = verdictOf({ ...sound, ...later, ...facts });
        expect([outcome.verdict, outcome.failure?.code], `${when}; ${laterWhen}`).to.deep.equal([verdict, code]);
      }
    }
  });

  it('an assertion does not hold while the clock is set: error', () => {
    const outcome = verdictOf({ ...sound, thrown: new AssertionError('expected this'), clockJump: 70 });
    expect(outcome.failure?.code).to.equal('CLOCK_JUMPED');
  });

  it('the lab lacks something, before the experiment or in the middle of it: skipped, with the reason', () => {
    for (const facts of [
      { blocked: new MissingPrerequisite('machine', 'needs a router') },
      { thrown: new MissingPrerequisite('machine', 'needs a router') },
    ])
      expect(verdictOf({ ...sound, ...facts })).to.deep.equal({
        verdict: 'skipped',
        reason: 'needs a router',
        lacks: 'machine',
      });
  });

  it('the lab lacks something behind an assertion that did not hold: failed', () => {
    const outcome = verdictOf({
      ...sound,
      ...{ thrown: new MissingPrerequisite('machine', 'needs a router'), unheld: new AssertionError('expected this') },
    });
    expect(outcome).to.deep.include({ verdict: 'failed', reason: 'expected this' });
  });

  it('an assertion is about an exchange: the listing is its details', () => {
    const thrown = new AssertionError('expected this\nas seen early');
    expect(verdictOf({ ...sound, thrown, listing: 'as seen late' }).failure?.details).to.equal('as seen late');
  });

  it('the set-up of its suite has failed by an assertion: failed', () => {
    expect(verdictOf({ ...sound, blocked: new AssertionError('expected this') }).verdict).to.equal('failed');
  });

  it('a kernel reports a bug: its console’s last 60 lines are the details', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    const consoles = new Map([['guest', `${lines.join('\n')}\n`]]);
    const { failure } = verdictOf({ ...sound, splats: [defect], consoles });
    expect(failure?.details).to.equal(lines.slice(40).join('\n'));
  });

  it('all pings are refused: no frame is needed', () => {
    const refused = { ...answered, outcome: 'refused' } as const;
    expect(verdictOf({ ...sound, frames: 0, pings: [refused] }).verdict).to.equal('passed');
  });
});
