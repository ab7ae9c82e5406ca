import { expect } from 'chai';
import { kernelTableMarkdown } from './kernel-table-markdown.js';
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
} from './kernel-table.test-support.js';

const pipes = (line: string): number => line.match(/(?<!\\)\|/g)?.length ?? 0;

describe('the Markdown view of a kernel table', () => {
  const tables = { rich: aRichTable, wide: aWideTable, interrupted: anInterruptedTable, nasty: aNastyTable };
  for (const [name, make] of Object.entries(tables)) {
    it(`is the same each time, its tables are whole, and nothing breaks out: ${name}`, () => {
      const text = kernelTableMarkdown(make(), aNastyComparison());
      expect(kernelTableMarkdown(make(), aNastyComparison())).to.equal(text);
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
    const text = kernelTableMarkdown(aRichTable());
    expect(text.split('\n').slice(0, 12)).to.deep.equal([
      '# Kernel table of 2026-11-21',
      '',
      'begun 2026-11-21 08:15 UTC, macvlab 0.1.0, on bench1',
      '',
      '**4 kernels, 6 experiments: 16 passed, 6 failed, 1 error, 1 skipped; of the failed, 4 as expected; 1 alarm**',
      '',
      '## Kernels',
      '',
      '| kernel | release | from | passed | failed | errors | skipped | not performed |',
      '|---|---|---|---|---|---|---|---|',
      '| 5.10 | 5.10.9+deb13-cloud-amd64 | Debian trixie, 5.10.9-1 | 3 | 1 | 1 | 1 | 0 |',
      '| 6.1 | 6.1.9+deb13-cloud-amd64 | Debian trixie, 6.1.9-1 | 4 | 2 | 0 | 0 | 0 |',
    ]);
  });

  it('says what differs, since when, and why with its source, or that nobody knows', () => {
    const text = kernelTableMarkdown(aRichTable());
    const copies = 'copies of a reflected multicast at a bridge sibling';
    const source = '[source](https://example.org/commit?a=1&b=2)';
    expect(text).to.include(
      [
        '| what | since | was → is | why |',
        '|---|---|---|---|',
        '| A1.2 vepa: ns1 does not reach its sibling | 6.1 | passed (5.10) → failed | **unexplained** |',
        '| A1.2 vepa: ns1 does not reach its sibling | 7.2 | failed (6.12) → passed | **unexplained** |',
        `| X3.1 bridge, hairpin on: multicast: ${copies} | 7.2 | 1 (6.12) → 2 | the switch’s copy comes too (${source}) |`,
      ].join('\n'),
    );
    expect(text).to.include(
      '- **X4.1 (all kernels):** lists are emptied (drivers/net/macvlan.c, macvlan_changelink)\n',
    );
    expect(text).to.include('- **ALARM** X2.1 the queue’s length can be set, 7.2: passed, but it was expected');
  });

  it('has features with the kernels’ words, and experiments folded by suite', () => {
    const text = kernelTableMarkdown(aRichTable());
    expect(text).to.include('| macvlan: bcqueuelen | refused | supported | supported | supported |\n');
    expect(text).to.include('| macvlan: mode vepa | supported | supported | supported | – |\n');
    expect(text).to.include('| macvlan: bcqueuelen | 5.10 | refused | RTNETLINK answers: Operation not supported |\n');
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
    const text = kernelTableMarkdown(aRichTable());
    expect(text).to.include(
      '- **FAILED** A1.2 vepa: ns1 does not reach its sibling, 6.1, 6.12: the ping was answered; next: look at the frames\n\n' +
        '<details><summary>details</summary>\n\n<pre>expected: no reply\nseen:     a reply</pre>\n\n</details>\n',
    );
    expect(text).to.include('- **5.10:** X2.1: the kernel does not know bcqueuelen\n');
  });

  it('leaves out what there is nothing to say about', () => {
    const text = kernelTableMarkdown(aTable([aTableRow('A1.1', 'one', [{}])]));
    expect(text.match(/^## .*/gm)).to.deep.equal(['## Kernels', '## Experiments', '## Words']);
    expect(text).not.to.match(/\n{3}|\n$/);
  });

  it('is readable when it was interrupted, and says how to go on', () => {
    const text = kernelTableMarkdown(anInterruptedTable());
    expect(text).to.include('The rest is performed by `macvlab matrix --resume`.');
    expect(text).to.include('| A1.6 bridge | passed | – | – | **ERROR** |\n');
    expect(text).to.include('- **ERROR** 6.4: the guest did not boot; next: look\n');
    expect(kernelTableMarkdown(aRichTable())).not.to.include('--resume');
  });

  it('says what became of a baseline', () => {
    const text = kernelTableMarkdown(aRichTable(), aComparison());
    expect(text).to.include(
      '## Baseline\n\nCompared with the baseline of 2026-11-20 (macvlab 0.1.0): something has got worse.\n\n### New failures\n\n' +
        '- **A1.2 vepa: ns1 does not reach its sibling** 6.1, 6.12: passed → failed; it was answered\n\n',
    );
    expect(kernelTableMarkdown(aRichTable(), anEqualComparison())).to.include(
      'nothing has got worse.\n\nNothing has changed.\n\n## What differs',
    );
  });
});
