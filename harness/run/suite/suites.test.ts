import { expect } from 'chai';
import type Mocha from 'mocha';
import { MacvlabError } from '../../core/error.js';
import { loadCatalogue } from './catalogue.js';
import { expectedTests } from './expected-tests.js';
import { mochaWordsIn } from './mocha-words.js';
import type { Experiment } from './experiment-spec.js';
import { keyPattern } from '../keys/key.js';
import { refuseMissingTests, refuseSilentTests } from './silent-tests.js';

describe('the suites', () => {
  it('have as many experiments as are expected of each (harness/run/suite/expected-tests.ts)', async function loads() {
    this.timeout(30_000);
    const found: Record<string, number> = {};
    for (const { file } of await loadCatalogue()) found[file] = (found[file] ?? 0) + 1;
    expect(found).to.deep.equal(expectedTests);
  });

  it('have titles of the form `<condition>: <expected result>`, and keys', async () => {
    for (const { key, title } of await loadCatalogue()) {
      expect(title).to.match(/^[^\s:].*[^:]: [^:]+$/);
      expect(title).not.to.match(/\b(it|its|they|them|their|itself|nobody|somebody|who|whose)\b/i);
      expect(key).to.match(keyPattern);
    }
  });

  /** The error for a file with one experiment and these declarations through mocha's own functions. */
  async function refusal(define: (words: Mocha.MochaGlobals) => void, experiments = 1): Promise<string> {
    const words = await mochaWordsIn('suites/t.ts', () => {
      define(globalThis);
      return Promise.resolve();
    });
    const about = { title: 'one', suite: 'T', file: 'suites/t.ts', modes: [], needs: [] };
    const own = Array.from({ length: experiments }, (_, index) => ({
      ...about,
      key: `t-${index}`,
      id: `T${index + 1}`,
    }));
    return said(() => refuseSilentTests('suites/t.ts', words, own));
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

  it('are refused with a test that is no experiment: nothing would perform it', async () => {
    const words = await refusal(({ it: test }) => void test('two', () => undefined));
    expect(words).to.equal('suites/t.ts would not be performed as a whole: “two” is no experiment');
    const nested = await refusal(({ it: test, describe: group }) => void group('S', () => void test('two', () => {})));
    expect(nested).to.match(/“S two” is no experiment$/);
  });

  it('are refused with a test that is skipped, by itself or with its suite', async () => {
    expect(await refusal(({ it: test }) => void test.skip('T1 one', () => undefined))).to.match(/“T1 one” is skipped$/);
    const nested = await refusal(({ it: test, describe: group }) => {
      group.skip('S', () => void test('T1 one', () => undefined));
    });
    expect(nested).to.match(/is skipped$/);
    expect(await refusal(({ describe: group }) => void group.skip('S', () => undefined))).to.match(/“S” is skipped$/);
  });

  it('are refused with tests that are chosen by .only', async () => {
    const words = await refusal(({ it: test }) => {
      test.only('T1 one', () => undefined);
      test('T2 two', () => undefined);
    });
    expect(words).to.match(/chosen by \.only$/);
    const group = await refusal(({ it: test, describe: { only } }) => {
      only('S', () => void test('T1 one', () => undefined));
    });
    expect(group).to.match(/chosen by \.only$/);
  });

  it('are refused with a suite or a hook of mocha: neither would run', async () => {
    expect(await refusal(({ describe: group }) => void group('S', () => undefined))).to.match(
      /“S” is not a suite\(\)$/,
    );
    for (const hook of ['before', 'beforeEach', 'after', 'afterEach'] as const)
      expect(await refusal((words) => words[hook](() => undefined)), hook).to.match(/it has a hook of mocha$/);
  });

  it('are refused when a file declares nothing at all', async () => {
    expect(await refusal(() => undefined, 0)).to.match(/declares no experiment$/);
    expect(await refusal(() => undefined)).to.equal('nothing');
  });

  it('are loaded: what mocha calls describe and it is as it was before', async () => {
    const before = [globalThis.describe, globalThis.it];
    await refusal(() => expect(globalThis.it).not.to.equal(before[1]));
    expect([globalThis.describe, globalThis.it]).to.deep.equal(before);
  });

  it('are refused when a file declares fewer than are expected, or is missing', () => {
    const one = { id: 'T1', title: 'one', file: 'suites/t.ts' } as Experiment;
    const two = { ...one, id: 'T2' };
    const refused = (all: Experiment[]) => said(() => refuseMissingTests(all, { 'suites/t.ts': 2 }));
    expect(refused([one, two])).to.equal('nothing');
    expect(refused([one])).to.match(/declares 1 experiments, and 2 are expected$/);
    expect(refused([])).to.match(/declares 0 experiments, and 2 are expected$/);
  });
});
