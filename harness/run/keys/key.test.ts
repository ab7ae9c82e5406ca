import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { type DeclaredKey, hasKey, refuseWrongKeys } from './key.js';

const one: DeclaredKey = { key: 'to-gateway', id: 'A1.1', title: 'ping: answered', file: 'suites/a1.ts' };
const two: DeclaredKey = { key: 'to-sibling', id: 'A2.1', title: 'ping: lost', file: 'suites/a2.ts' };

/** The message of the refusal. */
function refusal(...all: DeclaredKey[]): string {
  try {
    refuseWrongKeys(all);
    return 'nothing';
  } catch (error) {
    expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'NO_EVIDENCE' });
    return (error as MacvlabError).message;
  }
}

describe('the keys of experiments', () => {
  it('different slugs, with aliases or without: accepted', () => {
    expect(refusal(one, two, { ...two, key: 'X-3', aliases: ['old-key', 'older-key'] })).to.equal('nothing');
  });

  it('the same key twice, in upper or lower case: refused with both places', () => {
    for (const key of ['to-gateway', 'To-Gateway']) {
      expect(refusal(one, { ...two, key })).to.equal(
        `the key “${key}” is declared by two experiments: “A1.1 ping: answered” in suites/a1.ts, and “A2.1 ping: lost” in suites/a2.ts`,
      );
    }
  });

  it('an alias that is the key or alias of another experiment, or of the same: refused', () => {
    expect(refusal(one, { ...two, aliases: ['to-gateway'] })).to.match(/^the key “to-gateway” is declared by two/);
    expect(refusal({ ...one, aliases: ['to-sibling'] }, two)).to.match(/^the key “to-sibling” is declared by two/);
    expect(refusal({ ...one, aliases: ['x-y'] }, { ...two, aliases: ['x-y'] })).to.match(/^the key “x-y” is declared/);
    expect(refusal({ ...one, aliases: ['to-gateway'] })).to.equal(
      'the key “to-gateway” is declared twice by “A1.1 ping: answered” in suites/a1.ts',
    );
  });

  it('other characters than letters, digits and hyphens, nothing, or the form of an article: refused with the place', () => {
    for (const key of ['', 'to gateway', 'to_gateway', 'zum-gäteway', 'a.b', 'A1', 'x9', 'a-b\n']) {
      expect(refusal({ ...one, key }), key).to.equal(
        `the key “${key}” of “A1.1 ping: answered” in suites/a1.ts is malformed`,
      );
      expect(refusal({ ...one, aliases: [key] }), key).to.match(/is malformed$/);
    }
  });

  it('an experiment has its key and its aliases, and no other', () => {
    const renamed = { key: 'new', aliases: ['old'] };
    expect(['new', 'old', 'New', 'ol'].map((key) => hasKey(renamed, key))).to.deep.equal([true, true, false, false]);
  });
});
