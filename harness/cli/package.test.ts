import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The entry point of a user's command; suites are found by their folder. */
const entries = [/^dist\/harness\/cli\/main\.js$/, /^dist\/suites\//];

/** Modules that a file imports, immediately or later, or starts by URL. */
const imported = /(?:\bfrom |\bimport\(|^import |\bnew URL\()\s*['"](\.[^'"]+\.m?js)['"]/gm;

describe('the published package', function () {
  this.timeout(60_000);
  let files: string[];
  const modules = new Map<string, string>();

  before(() => {
    const argv = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'];
    const output = execFileSync('npm', argv, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const [packed] = JSON.parse(output) as [{ files: { path: string }[] }];
    files = packed.files.map(({ path }) => path);
    for (const path of files.filter((one) => /\.m?js$/.test(one))) {
      modules.set(path, readFileSync(join(root, path), 'utf8'));
    }
  });

  const importsIn = (path: string, code = ''): string[] =>
    [...code.replace(/\/\*[^]*?\*\//g, '').matchAll(imported)].map(([, module = '']) => join(path, '..', module));

  it('its files: no tests, no test support, no proofs, no measurements', () => {
    const development = /\.test\b|test-support|\/proof\/|^(?:dist\/)?bench\/|\.map$|\.ts$/;
    expect(files.filter((path) => development.test(path))).to.deep.equal([]);
    expect(files).to.include.members([
      'package.json',
      'README.md',
      'LICENSE',
      'dist/harness/cli/main.js',
      'Vagrantfile',
    ]);
  });

  it('its modules: all that they import are in it', () => {
    const missing = [...modules.keys()].flatMap((path) =>
      importsIn(path, modules.get(path)).flatMap((module) =>
        modules.has(module) ? [] : [`${path} imports ${module}`],
      ),
    );
    expect(missing).to.deep.equal([]);
  });

  it('its modules: the command line or a suite reaches each, be it for types', () => {
    const reached = new Set<string>();
    const open = [...modules.keys()].filter((path) => entries.some((entry) => entry.test(path)));
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      const source = path.replace(/^dist\//, '').replace(/\.js$/, '.ts');
      open.push(...importsIn(path, readFileSync(join(root, source), 'utf8')));
    }
    expect([...modules.keys()].filter((path) => !reached.has(path))).to.deep.equal([]);
  });
});
