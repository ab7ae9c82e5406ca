import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadCatalogue, select } from '../../run/catalogue.js';
import { sabotages } from './catalogue.js';

describe('the catalogue of sabotages', function catalogue() {
  this.timeout(30_000);

  it('has each once, in words, and what it is to strike', () => {
    expect(new Set(sabotages.map(({ id }) => id)).size).to.equal(sabotages.length);
    expect(sabotages.length).to.be.at.least(40);
    for (const { id, imitates, attacks } of sabotages) {
      expect(id).to.match(/^[a-z]+\/[a-z0-9-]+$/);
      expect(imitates, id).to.match(/^[a-z].*[^.]$/);
      expect(attacks, id).to.not.have.lengthOf(0);
    }
  });

  it('is what docs/audit.md tells of, and nothing was missed there', () => {
    const page = readFileSync(new URL('../../../../docs/audit.md', import.meta.url), 'utf8');
    const told = [...page.matchAll(/^\| `([a-z]+\/[a-z0-9-]+)` .*? \| (caught|missed|not applicable)/gm)];
    expect(told.map(([, id]) => id)).to.have.members(sabotages.map(({ id }) => id));
    expect(told.filter(([, , outcome]) => outcome === 'missed')).to.deep.equal([]);
  });

  it('names experiments that there are', async () => {
    const all = await loadCatalogue();
    for (const { id, experiments } of sabotages)
      expect(select(all, { filters: experiments }).length, id).to.be.at.least(1);
  });
});
