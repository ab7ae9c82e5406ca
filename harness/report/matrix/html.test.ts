import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { elementsOf, named } from '../document/elements.test-support.js';
import { matrixHtml } from './html.js';
import {
  aComparison,
  aNastyComparison,
  aNastyTable,
  anInterruptedTable,
  aRichTable,
  aTable,
  aTableRow,
  keyFor,
  aWideTable,
} from './table.test-support.js';

describe('the HTML view of a kernel table', () => {
  const tables = { rich: aRichTable, wide: aWideTable, interrupted: anInterruptedTable, nasty: aNastyTable };
  for (const [name, make] of Object.entries(tables)) {
    it(`is well-formed, the same each time, and reaches for nothing: ${name}`, () => {
      const page = matrixHtml(make(), aNastyComparison());
      expect(matrixHtml(make(), aNastyComparison())).to.equal(page);
      const elements = elementsOf(page);
      const names = new Set(elements.map((element) => element.name));
      for (const foreign of ['img', 'link', 'iframe', 'object', 'embed', 'base', 'b', 'svg']) {
        expect([...names]).not.to.include(foreign);
      }
      expect(named(elements, 'script')).to.have.lengthOf(1);
      for (const { attributes } of elements) {
        expect(Object.keys(attributes).filter((key) => /^(?:on|src|style)/.test(key))).to.deep.equal([]);
      }
      for (const { attributes } of named(elements, 'a')) {
        expect(attributes.href).to.match(/^(?:#|\.\/|https:\/\/example\.org\/)/);
      }
    });
  }

  it('allows its own style and script by their hashes, and nothing else', () => {
    const page = matrixHtml(aNastyTable());
    const policy = named(elementsOf(page), 'meta').find(({ attributes }) => attributes['http-equiv'])?.attributes;
    const hash = (element: string): string => {
      const [, text = ''] = new RegExp(`<${element}>([^]*?)</${element}>`).exec(page) ?? [];
      return createHash('sha256').update(text).digest('base64');
    };
    expect(policy?.['http-equiv']).to.equal('Content-Security-Policy');
    expect(policy?.content?.split('; ')).to.deep.equal([
      `default-src 'none'`,
      `style-src 'sha256-${hash('style')}'`,
      `script-src 'sha256-${hash('script')}'`,
      `base-uri 'none'`,
      `form-action 'none'`,
    ]);
  });

  it('has a head for each column and row, and anchors that are each there once', () => {
    const elements = elementsOf(matrixHtml(aRichTable()));
    for (const { attributes } of named(elements, 'th')) expect(attributes.scope).to.match(/^(?:col|row|rowgroup)$/);
    const ids = elements.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids)).to.have.property('size', ids.length);
    for (const { attributes } of named(elements, 'a')) {
      if (attributes.href?.startsWith('#')) expect(ids).to.include(attributes.href.slice(1));
    }
    expect(ids).to.include.members(['A1.1', 'X3.1', 'differences', 'features']);
  });

  it('tells experiments of one id apart', () => {
    const rows = [
      ...['one', 'two', 'three'].map((title) => aTableRow('A1.1', title, [{}])),
      aTableRow('filter', '', [{}]),
    ];
    const ids = elementsOf(matrixHtml(aTable(rows))).flatMap(({ attributes }) => attributes.id ?? []);
    expect(ids).to.include.members(['A1.1', 'A1.1-2', 'A1.1-3', 'filter-2']);
  });

  it('says each cell in words, with its reason, values and evidence', () => {
    const elements = elementsOf(matrixHtml(aRichTable()));
    // The parser does not keep white space between elements.
    const cells = named(elements, 'td').map(({ attributes, text }) => [
      attributes.class,
      text.replace(/\s+/g, ' ').trim(),
    ]);
    expect(cells).to.deep.include([
      'failed',
      'FAILEDthe ping was answeredexpected: no reply seen: a replynext: look at the framesevidence',
    ]);
    expect(cells).to.deep.include(['skipped', 'skippedthe kernel does not know bcqueuelen']);
    const copies = 'copies of a reflected multicast at a bridge sibling';
    expect(cells).to.deep.include([
      'expected',
      `passedexpected: the switch’s copy comes toosource: https://example.org/commit?a=1&b=2${copies}: 2${copies}: 2`,
    ]);
    expect(cells).to.deep.include(['skipped', 'refusedRTNETLINK answers: Operation not supported']);
    const spans = named(elements, 'span').map(({ attributes, text }) => [attributes.class, text]);
    expect(spans).to.deep.include(['failed', 'unexplained']);
    const hrefs = named(elements, 'a').map(({ attributes }) => attributes.href);
    expect(hrefs).to.include('./kernels/6.1/r1/evidence/002-a1.2/');
    expect(hrefs).to.include('https://example.org/commit?a=1&b=2');
  });

  it('never leads out of its folder', () => {
    const evidence = ['../../etc', 'https://example.com/x', 'a b/?#%', '/etc/passwd'];
    const page = matrixHtml(aTable(evidence.map((path) => aTableRow('A1', path, [{ evidence: path }]))));
    const hrefs = named(elementsOf(page), 'a').map(({ attributes }) => attributes.href);
    expect(hrefs).to.include.members(['./etc/', './https%3A/example.com/x/', './a%20b/%3F%23%25/', './etc/passwd/']);
  });

  it('says how an interrupted matrix goes on', () => {
    expect(matrixHtml(anInterruptedTable())).to.include('<code>macvlab matrix --resume</code>');
    expect(matrixHtml(aRichTable())).not.to.include('--resume');
  });

  it('says what became of a baseline, with links to the experiments', () => {
    const page = matrixHtml(aRichTable(), aComparison());
    const items = named(elementsOf(page), 'li').map(({ text }) => text.replace(/\s+/g, ' ').trim());
    const subject = 'A1.2 vepa: ns1 does not reach its sibling';
    expect(items).to.include(`${subject} 6.1, 6.12: passed → failed; it was answered`);
    expect(page).to.include(`<li><a href="#A1.2">${subject}</a> 6.1, 6.12`);
    expect(page).to.include('something has got worse');
    expect(matrixHtml(aRichTable())).not.to.include('id="comparison"');
  });

  it('links each of the experiments that differ in the same way', () => {
    const rows = ['one', 'two'].map((title) => aTableRow('A1.1', title, [{}, { verdict: 'failed' }]));
    const change = { since: '6.2', after: '6.1', from: 'passed', to: 'failed', explained: [] };
    const differences = rows.map(({ title }) => ({
      ...{ kind: 'verdict' as const, subject: keyFor('A1.1', title), changes: [change], explained: [] },
    }));
    const page = matrixHtml(aTable(rows, { differences }));
    expect(page).to.include('<a href="#A1.1" title="A1.1 one">A1.1</a> <a href="#A1.1-2" title="A1.1 two">A1.1</a>');
  });

  it('can be filtered only where scripts are run', () => {
    const form = named(elementsOf(matrixHtml(aRichTable())), 'form');
    expect(form.map(({ attributes }) => attributes.hidden)).to.deep.equal(['hidden']);
  });
});
