import { expect } from 'chai';
import { compare } from './compare.js';
import { countsOf } from './print.js';
import { Waits } from './waits.js';
import type { SoakOutcome } from './soak-run.js';

const passed = { verdict: 'passed' } as const;
const run = (verdicts: SoakOutcome['verdicts'], failure?: string): SoakOutcome => ({
  verdicts,
  waits: [],
  ...(failure === undefined ? {} : { failure }),
});

describe('a soak', () => {
  const first = run({ one: passed, two: { verdict: 'skipped', reason: 'no VLANs' } });

  it('finds nothing to tell of a run that came out as the first', () => {
    expect(compare(first, structuredClone(first))).to.be.empty;
  });

  it('tells of a verdict that changed, with the reason of now', () => {
    const changed = run({ ...first.verdicts, one: { verdict: 'error', reason: 'tcpdump died' } });
    expect(compare(first, changed)).to.deep.equal([
      { experiment: 'one', was: 'passed', is: 'error', reason: 'tcpdump died' },
    ]);
  });

  it('tells of what was not performed this time, and of what was not the first time', () => {
    const other = run({ two: { verdict: 'skipped', reason: 'no VLANs' }, three: passed }, 'no lab');
    expect(compare(first, other)).to.deep.equal([
      { experiment: 'one', was: 'passed', is: 'absent', reason: 'no lab' },
      { experiment: 'three', was: 'absent', is: 'passed', reason: 'no lab' },
    ]);
  });

  it('tells of trouble beside the experiments', () => {
    expect(compare(first, run(first.verdicts, 'UNDO_FAILED: a link stays'))).to.deep.equal([
      { experiment: '', was: 'whole', is: 'broken', reason: 'UNDO_FAILED: a link stays' },
    ]);
  });

  it('counts the runs behind the first', () => {
    const change = { experiment: 'one', was: 'passed', is: 'error', reason: '' };
    const runs = [[], [], [change], []].map((changes, index) => ({ number: index + 1, duration: 1, changes }));
    expect(countsOf({ runs })).to.deep.equal({ steady: 2, changed: 1 });
    expect(countsOf({ runs: [] })).to.deep.equal({ steady: 0, changed: 0 });
  });

  it('adds up waits for the same thing, whatever its process is called this time', () => {
    const waits = new Waits();
    waits.add({ what: 'nsenter --net=/proc/977/ns/net', took: 20, deadline: 1000 });
    waits.add({ what: 'nsenter --net=/proc/1044/ns/net', took: 30.4, deadline: 2000 });
    waits.add({ what: 'tcpdump to listen\nwith more words', took: 25, deadline: 500 });
    expect(waits.slowest()).to.deep.equal([
      { what: 'nsenter --net=/proc/…/ns/net', longest: 30, deadline: 2000, times: 2 },
      { what: 'tcpdump to listen', longest: 25, deadline: 500, times: 1 },
    ]);
  });
});
