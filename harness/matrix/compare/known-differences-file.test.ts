import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { readKnownDifferences, withOwnDifferences } from './known-differences-file.js';
import { knownDifferences } from './known-differences.js';

const good = `# what our kernels do otherwise
- name: no source lists
  about: { experiment: X4.1, title: source }
  kernels: <6.1
  expected: failed
  reason: they are patched out
  source: our patch 12
- name: three copies
  about: { experiment: X3.1, observed: copies }
  kernels: ">=6.12 <6.13 || >=7.3-rc2"
  expected: 3
  reason: one more
  source: https://example.org/patch
- name: no hairpin
  about: { feature: hairpin }
  kernels: "5.10"
  expected: refused
  reason: left out
  source: our configuration
`;

describe('a file of known differences', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-known-'));
    file = join(folder, 'known.yaml');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function refusal(content: string): MacvlabError {
    writeFileSync(file, content);
    try {
      readKnownDifferences(file);
    } catch (error) {
      expect(error).to.be.instanceOf(MacvlabError).with.property('code', 'USAGE');
      return error as MacvlabError;
    }
    return expect.fail(`it was taken:\n${content}`);
  }

  it('is read, as YAML and as JSON', () => {
    writeFileSync(file, good);
    const read = readKnownDifferences(file);
    expect(read.map(({ name, expected }) => [name, expected])).to.deep.equal([
      ['no source lists', 'failed'],
      ['three copies', 3],
      ['no hairpin', 'refused'],
    ]);
    expect(read[0]?.about).to.deep.equal({ experiment: 'X4.1', title: 'source' });
    for (const indent of [2, '\t'] as const) {
      writeFileSync(file, JSON.stringify(read, null, indent));
      expect(readKnownDifferences(file)).to.deep.equal(read);
    }
    writeFileSync(file, '[]');
    expect(readKnownDifferences(file)).to.deep.equal([]);
  });

  it('names the line, the entry and the field of each mistake', () => {
    const bad = good
      .replace('kernels: <6.1', 'kernels: before 6.1')
      .replace('expected: 3', 'expected: [3]')
      .replace('source: our configuration', 'sauce: ours');
    const { message, evidence } = refusal(bad);
    expect(message).to.equal(`known differences in ${file}: 4 mistakes`);
    const lines = evidence?.split('\n') ?? [];
    expect(lines[0]).to.match(/^line 4, entry 1 \(“no source lists”\), kernels: it is no range of versions: write /);
    expect(lines).to.include('line 11, entry 2 (“three copies”), expected: must be text, a number, true or false');
    expect(lines).to.include('line 14, entry 3 (“no hairpin”), source: must be text');
    expect(lines.join('\n')).to.match(/^line 14, entry 3 .*: Unrecognized key: "sauce"$/m);
  });

  it('says what is expected of which kind', () => {
    const one = (change: [string, string]) => refusal(good.replace(...change)).evidence;
    expect(one(['expected: failed', 'expected: passed'])).to.equal(
      'line 5, entry 1 (“no source lists”), expected: must be failed or skipped for an experiment without observed',
    );
    expect(one(['expected: refused', 'expected: unknown'])).to.equal(
      'line 17, entry 3 (“no hairpin”), expected: must be supported or refused or ignored for a feature',
    );
    expect(one(['{ feature: hairpin }', '{ feature: hairpin, experiment: X1.1 }'])).to.match(
      /^line 15, entry 3 .*, about: must have either feature, or experiment/,
    );
    expect(one(['{ feature: hairpin }', '{ title: x }'])).to.match(/, about: must have either feature, or experiment/);
    expect(one(['{ feature: hairpin }', 'hairpin'])).to.match(/, about: must be a mapping with experiment or feature$/);
    expect(one(['name: three copies', 'name: no hairpin'])).to.match(/^line 14, entry 3 .*, name: is there twice$/);
    expect(one(['name: three copies', 'name: " "'])).to.match(/, name: must not be empty$/m);
    expect(one(['"5.10"', '5.10'])).to.match(/, kernels: must be text: put it in quotes, such as "5.10"$/);
    expect(one(['">=6.12 <6.13 || >=7.3-rc2"', '">=7 <6"'])).to.match(/, kernels: no version can be in it: write /);
  });

  it('refuses what is no list of entries, or cannot be read', () => {
    expect(refusal('name: x').message).to.equal(`known differences in ${file}: it is no list`);
    expect(refusal('').message).to.equal(`known differences in ${file}: it is no list`);
    expect(refusal('- just text').evidence).to.match(/^line 1, entry 1: must be a mapping with name, about/);
    expect(refusal(good.slice(0, 90)).message).to.match(/it is neither YAML nor JSON$/);
    expect(refusal('[{"name": "x"').message).to.match(/it is neither YAML nor JSON$/);
    expect(refusal('- *nobody').message).to.match(/it (cannot be resolved|is neither YAML nor JSON)$/);
    rmSync(file);
    expect(() => readKnownDifferences(file)).to.throw(MacvlabError, /it cannot be read/);
    expect(() => readKnownDifferences(folder)).to.throw(MacvlabError, /it cannot be read/);
  });

  it('stands beside what is built in, and replaces what has the same name', () => {
    writeFileSync(file, good);
    const own = readKnownDifferences(file);
    expect(withOwnDifferences(own)).to.have.lengthOf(knownDifferences.length + own.length);
    const [first] = knownDifferences;
    const mine = { ...own[0]!, name: first!.name };
    const all = withOwnDifferences([mine]);
    expect(all).to.have.lengthOf(knownDifferences.length);
    expect(all.filter(({ name }) => name === first!.name)).to.deep.equal([mine]);
  });
});
