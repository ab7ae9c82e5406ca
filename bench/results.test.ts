import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Figure, ratio } from './figure.js';
import { compare, readResults, writeResults } from './results.js';

const figure = (
  name: string,
  value: number,
  range: [number, number],
  better: Figure['better'] = 'smaller',
): Figure => ({
  ...{ name, value, range, better },
});
const results = (...figures: Figure[]) => ({ machine: '2 cores', figures });

describe('the figures of the benchmarks', function () {
  this.timeout(30_000);
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-bench-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const bench = (...args: string[]) => {
    const program = fileURLToPath(new URL('main.js', import.meta.url));
    return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  };

  it('a ratio: the median of the quotients of each round, and the middle half of them', () => {
    const { value, range } = ratio('x', [10, 20, 30, 4000], [10, 10, 10, 10], { better: 'smaller' });
    expect({ value, range }).to.deep.equal({ value: 2.5, range: [2, 3] });
    expect(ratio('x', [10, 30], [10], { better: 'smaller' }).range).to.deep.equal([1, 3]);
  });

  it('two runs: only ranges that do not overlap are a change', () => {
    const before = results(
      figure('a', 2, [1.9, 2.1]),
      figure('b', 2, [1, 4]),
      figure('c', 2, [2, 2], 'greater'),
      figure('gone', 7, [7, 7]),
    );
    const after = results(
      figure('a', 3, [2.5, 3.5]),
      figure('b', 3, [2, 5]),
      figure('c', 3, [3, 3], 'greater'),
      figure('new', 1, [1, 1]),
    );
    expect(compare(before, after)).to.deep.equal([
      { name: 'a', change: 'worse', text: '2 to 3 (+50 %)' },
      { name: 'b', change: 'same', text: '2 to 3 (+50 %)' },
      { name: 'c', change: 'better', text: '2 to 3 (+50 %)' },
      { name: 'gone', change: 'only before', text: '7' },
      { name: 'new', change: 'only after', text: '1' },
    ]);
  });

  it('npm run bench -- compare: reads what --json wrote', () => {
    const [one, other] = ['one.json', 'other.json'].map((name) => join(folder, name)) as [string, string];
    writeResults(one, results(figure('lab', 4, [4, 4])));
    writeResults(other, results(figure('lab', 3, [3, 3])));
    expect(readResults(one).figures[0]!.value).to.equal(4);
    const { status, stdout } = bench('compare', one, other);
    expect(stdout).to.match(/^better +lab: 4 to 3 \(-25 %\)$/m);
    expect(status).to.equal(0);
  });

  it('a file that holds no results, one file, an unknown benchmark, a folder that does not exist: exit code 2, and the next step', () => {
    const file = join(folder, 'bad.json');
    writeFileSync(file, '{}');
    const calls = [['compare', file, file], ['compare', file], ['nosuch'], ['--jsn']];
    for (const args of calls) {
      const { status, stderr } = bench(...args);
      expect(status, stderr).to.equal(2);
      expect(stderr).to.match(/^USAGE: .*\n(.*\n)* {2}next: /);
    }
    const { status, stderr } = bench('decode', '--json', '/proc/none/x.json');
    expect({ status, code: stderr.split(':')[0] }).to.deep.equal({ status: 2, code: 'OUT_NOT_WRITABLE' });
  });
});
