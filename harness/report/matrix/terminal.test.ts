import { expect } from 'chai';
import { columnsOf } from '../width.js';
import { matrixTerminal } from './terminal.js';
import {
  aComparison,
  aNastyComparison,
  aNastyTable,
  anEqualComparison,
  anInterruptedTable,
  aRichTable,
  aTable,
  aTableRow,
  keyFor,
  aWideTable,
} from './table.test-support.js';

const plain = { width: 100, colour: false };

describe('the terminal view of a kernel table', () => {
  const tables = { rich: aRichTable, wide: aWideTable, interrupted: anInterruptedTable, nasty: aNastyTable };
  for (const [name, make] of Object.entries(tables)) {
    for (const width of [40, 60, 80, 100, 120, 200]) {
      it(`fits the ${name} table into ${width} columns`, () => {
        for (const all of [false, true]) {
          const comparison = name === 'nasty' ? aNastyComparison() : aComparison();
          const text = matrixTerminal(make(), { width, colour: false, all }, comparison);
          for (const line of text.split('\n')) {
            // A path stays whole, so that the user can copy it.
            if (!line.includes('evidence: ')) expect(columnsOf(line), line).to.be.at.most(width);
          }
        }
      });
    }
  }

  it('has nothing of its own to say where all kernels are equal', () => {
    const rows = [aTableRow('A1.1', 'one', [{}, {}]), aTableRow('A1.2', 'two', [{}, {}])];
    expect(matrixTerminal(aTable(rows), plain)).to.equal(
      [
        'Kernel table of 2026-11-21',
        'begun 2026-11-21 08:15 UTC, macvlab 0.1.0, on bench1',
        '2 kernels, 2 experiments: 4 passed',
        '',
        'Kernels',
        '  6.1  2 passed; 6.1.9+deb13-cloud-amd64 (Debian trixie, 6.1.9-1)',
        '  6.2  2 passed; 6.2.9+deb13-cloud-amd64 (Debian trixie, 6.2.9-1)',
        '',
        'Experiments',
        '  2 experiments passed on all kernels that performed them.',
        '',
        '4 passed, 0 failed, 0 skipped',
      ].join('\n'),
    );
  });

  it('shows what did not simply pass, and all when asked to', () => {
    const text = matrixTerminal(aRichTable(), plain);
    expect(text).not.to.include('A1.1');
    expect(text).not.to.include('mode vepa');
    expect(text).to.match(/│ A1.2 vepa: ns1 does not reach its sibling +│ passed +│ FAILED +│ FAILED +│ passed/);
    expect(text).to.match(/│ ↳ X3.1 copies of a reflected .*│ 1 +│ 1 +│ 1 +│ 2 +│/);
    expect(text).to.match(/│ macvlan: bcqueuelen .*│ refused +│ supported/);
    const everything = matrixTerminal(aRichTable(), { ...plain, all: true });
    expect(everything).to.include('│ A1.1 bridge');
    expect(everything).to.include('│ macvlan: mode vepa');
  });

  it('lists kernels below each other, equal neighbours as one, where a table would not fit', () => {
    const text = matrixTerminal(aRichTable(), { width: 50, colour: false });
    expect(text).to.include('A1.2 vepa: ns1 does not reach its sibling\n  5.10, 7.2  passed\n  6.1, 6.12  FAILED\n');
    expect(text).not.to.include('│');
  });

  it('states each failure once, with the kernels and the evidence', () => {
    const text = matrixTerminal(aRichTable(), { ...plain, folder: 'reports/m1' });
    expect(text).to.include(
      [
        'FAILED A1.2 vepa: ns1 does not reach its sibling',
        '  6.1, 6.12: the ping was answered',
        '    expected: no reply',
        '    seen:     a reply',
        '  next: look at the frames',
        '  evidence: reports/m1/kernels/6.1/r1/evidence/002-a1.2',
        '  evidence: reports/m1/kernels/6.12/r1/evidence/002-a1.2',
        '',
        'ERROR A1.3 private: nobody answers',
        '  5.10: the capture ended',
        '',
        'Skipped',
        '  5.10: X2.1: the kernel does not know bcqueuelen',
      ].join('\n'),
    );
  });

  it('says since when something differs and why, or that nobody knows', () => {
    const text = matrixTerminal(aRichTable(), plain);
    expect(text).to.include(
      [
        '  X3.1 bridge, hairpin on: multicast: copies of a reflected multicast at a bridge sibling',
        '    since 7.2: 2 (on 6.12: 1)',
        '    because: the switch’s copy comes too',
        '    source: https://example.org/commit?a=1&b=2',
        '  macvlan: bcqueuelen',
        '    since 6.1: supported (on 5.10: refused)',
        '    unexplained',
        '',
        'Otherwise expected',
        '  all kernels: X4.1: differs',
        '    because: lists are emptied',
        '    source: drivers/net/macvlan.c, macvlan_changelink',
        '',
        'Alarms',
        '  ALARM X2.1 the queue’s length can be set',
        '    7.2: passed, but it was expected to fail (queue of 7.2), and has passed',
        '',
        'of the failed, 1 was an error of the lab',
        'of the passed, 4 failed as known differences say',
        '1 alarm: not as a known difference says',
        '20 passed, 3 failed, 1 skipped',
      ].join('\n'),
    );
  });

  it('says once what several experiments have in common', () => {
    const rows = ['one', 'two', 'three'].map((title) =>
      aTableRow('A1.1', title, [{ verdict: 'skipped', reason: 'no IPv6' }, {}]),
    );
    const change = { since: '6.2', after: '6.1', from: 'skipped', to: 'passed', explained: [] };
    const differences = rows.map(({ title }) => ({
      ...{ kind: 'verdict' as const, subject: keyFor('A1.1', title), changes: [change], explained: [] },
    }));
    const text = matrixTerminal(aTable(rows, { differences }), plain);
    expect(text).to.include('What differs\n  A1.1 (3)\n    since 6.2: passed (on 6.1: skipped)\n    unexplained\n\n');
    expect(text).to.include('Skipped\n  6.1: A1.1 (3): no IPv6\n');
  });

  it('is readable when it was interrupted, and says how to go on', () => {
    const text = matrixTerminal(anInterruptedTable(), plain);
    expect(text).to.include('  6.3  0 passed, 40 not performed; ');
    expect(text).to.include('  ERROR the guest did not boot\n    Kernel panic - not syncing\n  next: look');
    expect(text).to.match(/│ A1.6 bridge +│ passed +│ – +│ – +│ ERROR +│/);
    expect(text).to.include('5 experiments passed on all kernels that performed them.');
    expect(text).to.include('15 more experiments only await being performed on some kernels.');
    expect(text).to.include('The rest is performed by:\nmacvlab matrix --resume\n');
    expect(text).not.to.include('ERROR A1.');
    expect(matrixTerminal(aRichTable(), plain)).not.to.include('--resume');
  });

  it('says what became of a baseline, what got worse first', () => {
    const text = matrixTerminal(aRichTable(), plain, aComparison());
    expect(text).to.include(
      [
        'Baseline',
        '  Compared with the baseline of 2026-11-20 (macvlab 0.1.0): something has got worse.',
        '  New failures',
        '    A1.2 vepa: ns1 does not reach its sibling 6.1, 6.12: passed → failed; it was answered',
        '  Changed without an explanation',
        '    X3.1 bridge, hairpin on: multicast: copies 6.1: 1 → 2',
        '  New errors',
        '    the kernel as a whole 6.18: error; the guest did not boot',
        '  Changed, and not worse',
        '    X3.1 bridge, hairpin on: multicast: copies 7.2: 1 → 2; the switch’s copy comes too',
        '  Fixed',
        '    A1.1 bridge: ns1 reaches its sibling 7.2: failed → passed',
        '  Kernels with another release',
        '    6.1 6.1.8 → 6.1.9',
        '  New kernels',
        '    7.2',
        '  Vanished kernels',
        '    4.19',
        '  Vanished experiments',
        '    a9-gone',
      ].join('\n'),
    );
    const equal = matrixTerminal(aRichTable(), plain, anEqualComparison());
    expect(equal).to.include('(macvlab 0.1.0): nothing has got worse.\n  Nothing has changed.\n');
    const { baseline: _, ...none } = anEqualComparison();
    expect(matrixTerminal(aRichTable(), plain, none)).to.include('\n  There was no baseline to compare with.\n\n');
  });

  it('is plain without colour, coloured with it, and lets no control through', () => {
    // eslint-disable-next-line no-control-regex -- control characters are what this is about
    const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;
    expect(matrixTerminal(aNastyTable(), { ...plain, all: true })).not.to.match(control);
    expect(matrixTerminal(aRichTable(), { ...plain, colour: true })).to.include('\u001b[31mFAILED\u001b[39m');
  });
});
