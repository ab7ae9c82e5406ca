import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { filesBelow, root, textOf } from './source-files.test-support.js';

interface Rule {
  name: string;
  to: { path?: string };
}

const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as { forbidden: Rule[] };

/** The layers from top to bottom. The last lint rule forbids imports of all layers above its own. */
function layersOfLint(): string[] {
  const last = forbidden.filter(({ name }) => name.endsWith('-imports-downward')).at(-1);
  const above = /^\^\(\?:(.*)\)\/$/.exec(last?.to.path ?? '')?.[1]?.split('|') ?? [];
  return [...above, last?.name.replace('-imports-downward', '') ?? ''];
}

/** Pages about the current state. Decisions are history, and data is generated. */
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'reports/README.md'],
  ...filesBelow('docs', /\.md$/).filter((file) => !/^docs\/(?:decisions|data)\//.test(file)),
];

/** The anchor that GitHub generates for a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

const withoutCode = (text: string) => text.replaceAll(/^\s*```.*?^\s*```/gms, '');

describe('docs/architecture.md', () => {
  const page = textOf('docs/architecture.md');

  it('the table of folders: the layers of .dependency-cruiser.cjs in their order, then harness/setup', () => {
    const layers = layersOfLint();
    expect(layers).to.include('harness/core').and.have.lengthOf.above(10);
    const listed = [...page.matchAll(/^\| `((?:harness\/)?[a-z-]+)` \|/gm)].map(([, folder]) => folder);
    expect(listed).to.deep.equal([...layers, 'harness/setup']);
  });

  it('the drawing: a box for each layer', () => {
    const boxes = [...page.matchAll(/^ {2}[a-z]+\["([^:"]+):/gm)].map(([, folder]) => folder);
    expect(boxes).to.deep.equal([...layersOfLint(), 'harness/setup']);
  });

  it('the drawing: each arrow points to a layer below', () => {
    const names = [...page.matchAll(/^ {2}([a-z]+)\["/gm)].map(([, name = '']) => name);
    const arrows = [...page.matchAll(/^ {2}([a-z]+) --> ([a-z]+)$/gm)];
    expect(arrows).to.have.lengthOf.above(10);
    for (const [arrow, from = '', to = ''] of arrows) {
      expect(names, arrow).to.include(from).and.to.include(to);
      expect(names.indexOf(to), arrow).to.be.above(names.indexOf(from));
    }
  });

  it('the way of one ping: a file at each step', () => {
    const steps = [...page.matchAll(/^\| \d+ \| .* \| (.*) \|$/gm)];
    expect(steps).to.have.lengthOf.above(10);
    for (const [step, files = ''] of steps) expect(files, step).to.match(/^`[^`]+\.ts`/);
  });
});

describe('paths and links in the documentation', () => {
  for (const file of pages) {
    it(`${file}: every path and link leads somewhere`, () => {
      const text = textOf(file);
      const missing: string[] = [];
      for (const [, path = ''] of text.matchAll(/`((?:harness|suites|bench|docs|vagrant|\.github)\/[\w./-]+)`/g))
        if (!existsSync(join(root, path))) missing.push(path);
      for (const [, link = ''] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(link)) continue;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? file : join(dirname(file), path);
        if (!existsSync(join(root, target))) missing.push(link);
        else if (anchor !== undefined) {
          const headings = withoutCode(textOf(target)).matchAll(/^#+ (.*)$/gm);
          if (![...headings].some(([, heading = '']) => anchorOf(heading) === anchor)) missing.push(link);
        }
      }
      expect(missing).to.deep.equal([]);
    });
  }
});
