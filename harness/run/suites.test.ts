import { expect } from 'chai';
import Mocha from 'mocha';
import { MacvlabError } from '../core/error.js';
import { loadCatalogue } from './catalogue.js';
import { expectedTests } from './expected-tests.js';
import type { Experiment } from './registry.js';
import { refuseMissingTests, refuseSilentTests } from './silent-tests.js';

describe('the suites', () => {
  it('have as many experiments as are expected of each (harness/run/expected-tests.ts)', async function loads() {
    this.timeout(30_000);
    const found: Record<string, number> = {};
    for (const { file } of await loadCatalogue()) found[file] = (found[file] ?? 0) + 1;
    expect(found).to.deep.equal(expectedTests);
  });

  /** What is thrown about a file that declares this by mocha's own words. */
  function refusal(define: (words: Mocha.MochaGlobals) => unknown[]): string {
    const mocha = new Mocha({ ui: 'bdd' });
    const words = {} as Mocha.MochaGlobals;
    mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, words, 'suites/t.ts', mocha);
    const own = define(words).map((test) => ({ test })) as Experiment[];
    return said(() => refuseSilentTests('suites/t.ts', mocha.suite, own));
  }

  function said(work: () => void): string {
    try {
      work();
      return 'nothing';
    } catch (error) {
      expect(error).to.be.instanceOf(MacvlabError).that.includes({ code: 'NO_EVIDENCE' });
      return (error as MacvlabError).message;
    }
  }

  it('are refused with a test that is no experiment: nothing would perform it', () => {
    const words = refusal(({ it: test }) =>
      [test('T1 one', () => undefined), void test('two', () => undefined)].slice(0, 1),
    );
    expect(words).to.equal('suites/t.ts would not be performed as a whole: “two” is no experiment');
  });

  it('are refused with a test that is skipped, by itself or with its suite', () => {
    expect(refusal(({ it: test }) => [test.skip('T1 one', () => undefined)])).to.match(/“T1 one” is skipped$/);
    const nested = refusal(({ it: test, describe: group }) => {
      const tests: unknown[] = [];
      group.skip('S', () => tests.push(test('T1 one', () => undefined)));
      return tests.length > 0 ? tests : [test('T2 two', () => undefined)];
    });
    expect(nested).to.match(/is skipped$/);
  });

  it('are refused with tests that are chosen by .only', () => {
    const words = refusal(({ it: test }) => [test.only('T1 one', () => undefined), test('T2 two', () => undefined)]);
    expect(words).to.match(/chosen by \.only$/);
    const group = refusal(({ it: test, describe: { only } }) => {
      const tests: unknown[] = [];
      only('S', () => tests.push(test('T1 one', () => undefined)));
      return tests;
    });
    expect(group).to.match(/chosen by \.only$/);
  });

  it('are refused when a file declares nothing at all', () => {
    expect(refusal(({ describe: group }) => [group('S', () => undefined)].slice(1))).to.match(
      /declares no experiment$/,
    );
    expect(refusal(({ it: test }) => [test('T1 one', () => undefined)])).to.equal('nothing');
  });

  it('are refused when a file declares fewer than are expected, is missing, or has one twice', () => {
    const one = { id: 'T1', title: 'one', file: 'suites/t.ts' } as Experiment;
    const two = { ...one, id: 'T2' };
    const refused = (all: Experiment[]) => said(() => refuseMissingTests(all, { 'suites/t.ts': 2 }));
    expect(refused([one, two])).to.equal('nothing');
    expect(refused([one])).to.match(/declares 1 experiments, and 2 are expected$/);
    expect(refused([])).to.match(/declares 0 experiments, and 2 are expected$/);
    expect(refused([one, one])).to.match(/two experiments “T1 one”$/);
  });
});
