import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadCatalogue, select } from '../../../run/suite/catalogue.js';
import { faults } from './catalogue.js';

const textOf = (page: string) => readFileSync(new URL(`../../../../../docs/${page}`, import.meta.url), 'utf8');

describe('the catalogue of faults', function catalogue() {
  this.timeout(30_000);

  it('has each once, in words, and what it is to injector', () => {
    expect(new Set(faults.map(({ id }) => id)).size).to.equal(faults.length);
    expect(faults.length).to.be.at.least(40);
    for (const { id, imitates, injections } of faults) {
      expect(id).to.match(/^[a-z]+\/[a-z0-9-]+$/);
      expect(imitates, id).to.match(/^[a-z].*[^.]$/);
      expect(injections, id).to.not.have.lengthOf(0);
    }
  });

  it('docs/data/mutation.md: has a row for each fault, and none was missed', () => {
    const rows = [
      ...textOf('data/mutation.md').matchAll(/^\| `([a-z]+\/[a-z0-9-]+)` .*? \| (caught|missed|not applicable)/gm),
    ];
    expect(rows.map(([, id]) => id)).to.have.members(faults.map(({ id }) => id));
    expect(rows.filter(([, , outcome]) => outcome === 'missed')).to.deep.equal([]);
  });

  it('docs/mutation.md, the summary: counts the rows of the full table, in total and for each group', () => {
    const results = [
      ...textOf('data/mutation.md').matchAll(/^\| `[a-z]+\/.*? \| (caught|missed|not applicable)(.*)$/gm),
    ];
    const elsewhere = results.filter(([, , rest]) => rest?.includes('(lab vm)')).length;
    const caught = results.filter(([, outcome]) => outcome === 'caught').length;
    const summary = textOf('mutation.md');
    expect(summary).to.include(`${faults.length} faults, ${caught} detected with the expected reason, 0 missed.`);
    expect(summary).to.include(`${caught - elsewhere} of them ran in the sandbox`);
    expect(textOf('data/mutation.md')).to.include(`lab sandbox: ${caught - elsewhere} caught`);
    const groups = new Map<string, number>();
    for (const [group = ''] of faults.map(({ id }) => id.split('/'))) groups.set(group, (groups.get(group) ?? 0) + 1);
    const listed = [...summary.matchAll(/^\| `([a-z]+)` \| (\d+) \|/gm)].map(([, group, count]) => [
      group,
      Number(count),
    ]);
    expect(listed).to.have.deep.members([...groups]);
  });

  it('names experiments that there are', async () => {
    const all = await loadCatalogue();
    for (const { id, experiments } of faults)
      expect(select(all, { filters: experiments }).length, id).to.be.at.least(1);
  });
});
