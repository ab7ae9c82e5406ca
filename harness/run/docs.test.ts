import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { loadCatalogue } from './suite/catalogue.js';
import { slug } from './run-folder.js';

const pathOf = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url));
const textOf = (file: string) => readFileSync(pathOf(file), 'utf8');

const filesIn = (folder: string, ending: string) =>
  readdirSync(pathOf(folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`);

/** Whether a page is kept up to date: decisions are not changed later, and data are written by programs. */
const isCurrent = (page: string) => !/^docs\/(?:decisions|data)\//.test(page);

/** Statements that the documentation once made, and why each is wrong. */
const wrong: readonly (readonly [statement: RegExp, why: string])[] = [
  [/(?<!formerly )802\.1Qbg/, 'reflective relay is part of IEEE 802.1Q-2014'],
  [/two ARP probes/, 'RFC 5227 sends three (PROBE_NUM)'],
  [/snooping never holds back/, 'RFC 4541 only recommends to forward 224.0.0.0/24 to all ports'],
  [/\breal wire\b/, 'the default lab is veth on one kernel'],
  [/all vanishes/, 'modules stay loaded, and macvtap creates a device on the host'],
  [/between siblings in memory/, 'unicast between siblings passes the receive path of the parent'],
  [/is at least 3\.9/, 'what a kernel has is probed, not read from its version'],
  [/and sets the parent promiscuous/, 'passthru does so only without nopromisc'],
];

describe('what the documentation names', function documentation() {
  this.timeout(30_000);

  it('experiments: there are', async () => {
    const ids = new Set((await loadCatalogue()).map(({ id }) => id));
    const pages = filesIn('docs', '.md').filter(isCurrent);
    expect(pages).to.include('docs/results/modes.md');
    for (const page of ['README.md', ...pages])
      for (const [named] of textOf(page).matchAll(/\b[AX]\d\.\d+\b/g)) expect(ids, page).to.include(named);
  });

  it('facts: a statement that was found to be wrong does not come back', () => {
    const pages = ['README.md', 'reports/README.md', ...filesIn('docs', '.md'), ...filesIn('suites', '.ts')];
    const found = pages
      .filter(isCurrent)
      .flatMap((file) =>
        wrong.filter(([statement]) => statement.test(textOf(file))).map(([, why]) => `${file}: ${why}`),
      );
    expect(found).to.deep.equal([]);
  });

  it('reports/README.md: its first record is called as a run calls it', async () => {
    const [name = ''] = /\b001-\S+(?=\.json)/.exec(textOf('reports/README.md')) ?? [];
    expect((await loadCatalogue()).map(({ key }) => `001-${slug(key)}`)).to.include(name);
  });

  it('decisions: each file is in the list, and a number that is missing is explained', () => {
    const page = textOf('docs/decisions/README.md');
    const files = readdirSync(pathOf('docs/decisions')).filter((file) => /^\d{4}-/.test(file));
    const listed = [...page.matchAll(/\]\((\d{4}-\S+\.md)\)/g)].map(([, file]) => file);
    expect(listed).to.deep.equal(files.toSorted());
    const numbers = new Set(files.map((file) => Number(file.slice(0, 4))));
    for (let number = 1; number < Math.max(...numbers); number++)
      if (!numbers.has(number)) expect(page).to.contain(`There is no ${String(number).padStart(4, '0')}`);
  });
});
