import { expect } from 'chai';
import { matrixMarkdown } from './markdown.js';
import {
  aComparison,
  aNastyComparison,
  aNastyTable,
  anEqualComparison,
  anInterruptedTable,
  aRichTable,
  aTable,
  aTableRow,
  aWideTable,
} from './table.test-support.js';

const pipes = (line: string): number => line.match(/(?<!\\)\|/g)?.length ?? 0;

describe('the Markdown view of a kernel table', () => {
  const tables = { rich: aRichTable, wide: aWideTable, interrupted: anInterruptedTable, nasty: aNastyTable };
  for (const [name, make] of Object.entries(tables)) {
    it(`is the same each time, its tables are whole, and nothing breaks out: ${name}`, () => {
      const text = matrixMarkdown(make(), aNastyComparison());
      expect(matrixMarkdown(make(), aNastyComparison())).to.equal(text);
      const lines = text.split('\n');
      lines.forEach((line, index) => {
        const before = lines[index - 1] ?? '';
        if (line.startsWith('|') && before.startsWith('|')) expect(pipes(line), line).to.equal(pipes(before));
        if (line.startsWith('|---')) expect(lines[index - 2]).to.equal('');
      });
      const tags = new Set(text.match(/<[^>]*>/g));
      expect([...tags].filter((tag) => !/^<\/?(?:details|summary|pre|span)>$/.test(tag))).to.deep.equal([]);
      for (const tag of ['details', 'summary', 'pre', 'span']) {
        expect(text.split(`<${tag}>`), tag).to.have.length(text.split(`</${tag}>`).length);
      }
      expect(text).not.to.match(/(?!\n)\p{Cc}|\u202e/u);
    });
  }

  it('begins with the day and the totals, and the kernels', () => {
    const text = matrixMarkdown(aRichTable());
    expect(text.split('\n').slice(0, 12)).to.deep.equal([
      '# Kernel table of 2026-11-21',
      '',
      'begun 2026-11-21 08:15 UTC, macvlab 0.1.0, on bench1',
      '',
      '**4 kernels, 6 experiments: 16 passed, 6 failed, 1 error, 1 skipped; of the failed, 4 as expected; 1 alarm**',
      '',
      '## Kernels',
      '',
      '| kernel | result | release |',
      '|---|---|---|',
      '| 5.10 | 3 passed, 1 failed, 1 error, 1 skipped | 5.10.9+deb13-cloud-amd64 (Debian trixie, 5.10.9-1) |',
      '| 6.1 | 4 passed, 2 failed | 6.1.9+deb13-cloud-amd64 (Debian trixie, 6.1.9-1) |',
    ]);
  });

  it('says what differs, since when, and why with its source, or that nobody knows', () => {
    const text = matrixMarkdown(aRichTable());
    const copies = 'copies of a reflected multicast at a bridge sibling';
    expect(text).to.include(
      [
        '- A1.2 vepa: ns1 does not reach its sibling',
        '  - since 6.1: failed (on 5.10: passed)',
        '  - **unexplained**',
        '  - since 7.2: passed (on 6.12: failed)',
        '  - **unexplained**',
        `- X3.1 bridge, hairpin on: multicast: ${copies}`,
        '  - since 7.2: 2 (on 6.12: 1)',
        '  - because: the switch’s copy comes too',
        '  - [source](https://example.org/commit?a=1&b=2)',
      ].join('\n'),
    );
    expect(text).to.include(
      [
        '- all kernels: X4.1: differs',
        '  - because: lists are emptied',
        '  - source: drivers/net/macvlan.c, macvlan_changelink\n',
      ].join('\n'),
    );
    expect(text).to.include(
      '- **ALARM** X2.1 the queue’s length can be set\n  - 7.2: passed, but it was expected to fail',
    );
  });

  it('has features with the kernels’ words, and experiments folded by suite', () => {
    const text = matrixMarkdown(aRichTable());
    expect(text).to.include('| macvlan: bcqueuelen | refused | supported | supported | supported |\n');
    expect(text).to.include('| macvlan: mode vepa | supported | supported | supported | – |\n');
    expect(text).to.include(
      '- macvlan: bcqueuelen, 5.10: refused: RTNETLINK answers: Operation not supported\n\n</details>',
    );
    expect(text).to.include(
      '<details><summary>A1 bridge, private and vepa: 6 experiments, 5 not simply passed</summary>\n\n' +
        '| experiment | 5.10 | 6.1 | 6.12 | 7.2 |\n',
    );
    expect(text).to.include(
      '| A1.2 vepa: ns1 does not reach its sibling | passed | **FAILED** | **FAILED** | passed |\n',
    );
    expect(text).to.include('| ↳ X3.1 copies of a reflected multicast at a bridge sibling | 1 | 1 | 1 | 2 |\n');
  });

  it('states failures with their details, and skips', () => {
    const text = matrixMarkdown(aRichTable());
    expect(text).to.include(
      '### **FAILED** A1.2 vepa: ns1 does not reach its sibling\n\n6.1, 6.12: the ping was answered\n\n' +
        '<details><summary>details</summary>\n\n<pre>expected: no reply\nseen:     a reply</pre>\n\n</details>\n\n' +
        'next: look at the frames\n',
    );
    expect(text).to.include('- **5.10:** X2.1: the kernel does not know bcqueuelen\n');
  });

  it('leaves out what there is nothing to say about', () => {
    const text = matrixMarkdown(aTable([aTableRow('A1.1', 'one', [{}])]));
    expect(text.match(/^## .*/gm)).to.deep.equal(['## Kernels', '## Experiments', '## Words']);
    expect(text).not.to.match(/\n{3}|\n$/);
  });

  it('is readable when it was interrupted, and says how to go on', () => {
    const text = matrixMarkdown(anInterruptedTable());
    expect(text).to.include('The rest is performed by: `macvlab matrix --resume`\n');
    expect(text).to.include('| A1.6 bridge | passed | – | – | **ERROR** |\n');
    expect(text).to.include(
      '- **6.4**\n  - **ERROR** the guest did not boot\n\n  <details><summary>details</summary>\n\n' +
        '  <pre>Kernel panic - not syncing</pre>\n\n  </details>\n\n  - next: look\n',
    );
    expect(matrixMarkdown(aRichTable())).not.to.include('--resume');
  });

  it('says what became of a baseline', () => {
    const text = matrixMarkdown(aRichTable(), aComparison());
    expect(text).to.include(
      '## Baseline\n\nCompared with the baseline of 2026-11-20 (macvlab 0.1.0): something has got worse.\n\n- **New failures**\n' +
        '  - **A1.2 vepa: ns1 does not reach its sibling** 6.1, 6.12: passed → failed; it was answered\n',
    );
    expect(matrixMarkdown(aRichTable(), anEqualComparison())).to.include(
      'nothing has got worse.\n\nNothing has changed.\n\n## What differs',
    );
  });
});
