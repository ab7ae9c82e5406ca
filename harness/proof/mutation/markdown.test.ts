import { expect } from 'chai';
import type { Finding } from './judge.js';
import { asMarkdown } from './markdown.js';

describe('the results of mutation tests as a page', () => {
  const about = {
    of: 'network',
    imitates: 'a | b',
    kernel: '6.18',
    blamed: true,
    by: 'A1.1 a title',
    duration: 1,
  } as const;
  const nothing = { blamed: false, by: '', verdict: '', reason: '' };
  const findings: Finding[] = [
    {
      ...{ ...about, id: 'wires/one', outcome: 'caught', verdict: 'failed' },
      reason: 'token 0123456789abcdef from 06:5c:14:0b:2d:8f to 02:00:00:00:00:77\nand more',
    },
    { ...about, ...nothing, id: 'tools/two', of: 'tools', outcome: 'missed' },
    { ...about, ...nothing, id: 'vlans/three', outcome: 'not applicable', reason: 'no VLANs' },
  ];
  const [, , third] = findings;
  const page = asMarkdown({ lab: 'sandbox', duration: 61_000, findings });

  it('counts', () => {
    expect(page).to.include(
      'On kernel 6.18, lab sandbox: 1 caught, 1 of them with the expected reason; 1 missed; 1 not applicable.',
    );
  });

  it('has a row for each, without what differs from run to run', () => {
    expect(page).to.include(
      '| `wires/one` | a \\| b | caught: failed | A1.1 a title | token … from … to 02:00:00:00:00:77 |',
    );
    expect(page).to.include('| `tools/two` | a \\| b | missed | the run | as without it |');
    expect(page).to.include('| `vlans/three` | a \\| b | not applicable | the run | no VLANs |');
  });

  it('has from another lab what is not applicable in this one', () => {
    const elsewhere = {
      ...third,
      kernel: '6.12',
      outcome: 'caught',
      blamed: true,
      verdict: 'failed',
      reason: 'lost',
    } as Finding;
    const other = { lab: 'vm', duration: 1, findings: [elsewhere, { ...findings[1], outcome: 'caught' } as Finding] };
    const both = asMarkdown({ lab: 'sandbox', duration: 61_000, findings }, other);
    expect(both).to.include('on kernel 6.12, lab vm');
    expect(both).to.include('| `vlans/three` | a \\| b | caught: failed (lab vm) | the run | lost |');
    expect(both).to.include('| `tools/two` | a \\| b | missed |');
  });
});
