import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { loadCatalogue } from './suite/catalogue.js';
import { slug } from './run-folder.js';

const pathOf = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url));
const textOf = (file: string) => readFileSync(pathOf(file), 'utf8');

describe('what the documentation names', function documentation() {
  this.timeout(30_000);

  it('experiments: there are', async () => {
    const ids = new Set((await loadCatalogue()).map(({ id }) => id));
    const pages = readdirSync(pathOf('docs'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.md') && !/^(?:decisions|data)\//.test(file),
    );
    expect(pages).to.include('results/modes.md');
    for (const page of ['README.md', ...pages.map((file) => `docs/${file}`)])
      for (const [named] of textOf(page).matchAll(/\b[AX]\d\.\d+\b/g)) expect(ids, page).to.include(named);
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
