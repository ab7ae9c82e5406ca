import { expect } from 'chai';
import { loadCatalogue, matches } from '../suite/catalogue.js';
import { hasKey, keyPattern } from './key.js';
import { keyOfOldName, keyOfOldTitle, oldNamesOf } from './old-titles.js';
import { keysOfOldTitles } from './keys-of-old-titles.js';

/** The number of experiments when they got keys. */
const experimentsThen = 224;

describe('the table of old titles', function oldTitles() {
  this.timeout(30_000);

  it('each experiment of then: has one title, and a key of its own', () => {
    expect(Object.keys(keysOfOldTitles)).to.have.lengthOf(experimentsThen);
    expect(new Set(Object.values(keysOfOldTitles)).size).to.equal(experimentsThen);
  });

  it('each key: belongs to an experiment of today with the same id', async () => {
    const all = await loadCatalogue();
    for (const [name, key] of Object.entries(keysOfOldTitles)) {
      const found = all.filter((experiment) => hasKey(experiment, key));
      expect(found, key).to.have.lengthOf(1);
      expect(found[0]?.id, key).to.equal(name.split(' ')[0]);
    }
  });

  it('an old id and title: find the key; and the key its old name', () => {
    const title = 'bridge, hairpin on: a multicast of ns1 reaches its sibling';
    expect(keyOfOldTitle({ id: 'X3.1', title })).to.equal('x3-multicast-bridge-hairpin-on');
    expect(keyOfOldName(`X3.1 ${title}`)).to.equal('x3-multicast-bridge-hairpin-on');
    expect(oldNamesOf('x3-multicast-bridge-hairpin-on')).to.deep.equal([`X3.1 ${title}`]);
    expect(oldNamesOf('no-such-key')).to.deep.equal([]);
  });

  it('an id and title that are not in the table: give a key that no experiment has, and different ones for different titles', async () => {
    const names = ['A1.3 mode vepa', 'A1.3 mode “vepa”', 'A1.3 mode-vepa', '漢字', '', 'toString', '__proto__'];
    const keys = names.map(keyOfOldName);
    expect(new Set(keys).size).to.equal(names.length);
    expect(keys[0]).to.match(/^old-a1-3-mode-vepa-[0-9a-f]{8}$/);
    const all = await loadCatalogue();
    for (const key of keys) {
      expect(key).to.match(keyPattern);
      expect(all.some((experiment) => hasKey(experiment, key))).to.equal(false);
    }
  });

  it('a filter: finds an experiment by its key, an earlier key, or its whole old title, and no other experiment', async () => {
    const all = await loadCatalogue();
    const found = (filter: string) => all.filter((each) => matches(each, filter)).map(({ key }) => key);
    for (const [name, key] of Object.entries(keysOfOldTitles)) {
      expect(found(key)).to.deep.equal([key]);
      expect(found(name), name).to.deep.equal([key]);
    }
    const [first] = all;
    const renamed = { ...first!, key: 'new-key', aliases: ['earlier-key'] };
    for (const filter of ['new-key', 'NEW-KEY', 'earlier-key']) expect(matches(renamed, filter), filter).to.equal(true);
    expect(matches(renamed, 'earlier')).to.equal(false);
  });
});
