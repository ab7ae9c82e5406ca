import { expect } from 'chai';
import { asMarkdown } from './markdown.js';

describe('the audit as a page', () => {
  const finding = { of: 'network', imitates: 'a | b', blamed: true, by: 'A1.1 a title', duration: 1 } as const;
  const page = asMarkdown({
    ...{ lab: 'sandbox', kernel: '6.12', duration: 61_000 },
    findings: [
      {
        ...{ ...finding, id: 'wires/one', outcome: 'caught', verdict: 'failed' },
        reason: 'token 0123456789abcdef from 06:5c:14:0b:2d:8f to 02:00:00:00:00:77\nand more',
      },
      { ...finding, id: 'tools/two', of: 'tools', outcome: 'missed', verdict: '', by: '', reason: '' },
    ],
  });

  it('counts', () => {
    expect(page).to.include(
      'in 61 s: 1 caught, 1 of them with the reason that was expected; 1 missed; 0 not applicable.',
    );
  });

  it('has a row for each, without what differs from run to run', () => {
    expect(page).to.include(
      '| `wires/one` | a \\| b | caught: failed | A1.1 a title | token … from … to 02:00:00:00:00:77 |',
    );
    expect(page).to.include('| `tools/two` | a \\| b | missed | the run | as without it |');
  });
});
