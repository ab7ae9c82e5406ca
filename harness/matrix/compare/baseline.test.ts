import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { MacvlabError } from '../../core/error.js';
import { keyOf } from '../../run/record.js';
import { readBaseline, writeBaseline } from './baseline-file.js';
import { type Baseline, baselineOf, formatBaseline } from './baseline.js';
import { keepInHistory, newestOf } from './history.js';
import {
  aFeature,
  aKernel,
  aPerformance,
  aRecordOf,
  copies,
  matrixOf,
  observing,
  someExperiments,
} from '../matrix.test-support.js';
import { tableOf } from './table.js';

const old = aKernel('5.10.262');
const recent = aKernel('7.2.13');
const features = [aFeature(), aFeature({ name: 'bclim', group: 'macvlan', state: 'ignored' })];

function aTable(observed: Record<string, number> = { [copies]: 1 }) {
  return tableOf(
    matrixOf([aPerformance(old, observing(observed), { features }), aPerformance(recent, undefined, { features })]),
    [],
  );
}

function errorOf(work: () => unknown): MacvlabError {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(MacvlabError);
    return error as MacvlabError;
  }
  return expect.fail('it did not fail');
}

describe('a baseline', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-baseline-'));
    file = join(folder, 'nightly', 'baseline.json');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is a file with a line per experiment and feature of each kernel', () => {
    const table = aTable();
    writeBaseline(file, baselineOf(table));
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.slice(0, 11).map((line) => line.trim())).to.deep.equal([
      '{',
      '"schema": 2,',
      '"date": "2026-11-21T08:15:00.500Z",',
      '"macvlab": ["0.1.0"],',
      '"kernels": [',
      '{',
      '"name": "5.10",',
      '"version": "5.10.262",',
      '"release": "5.10.262-cloud-amd64",',
      '"experiments": [',
      `{"experiment":${JSON.stringify(keyOf(someExperiments[0]!))},"verdict":"passed"},`,
    ]);
    expect(lines[11]).to.include(`"observed":{"${copies}":1}`);
    expect(lines.filter((line) => line.includes('"experiment":'))).to.have.lengthOf(2 * someExperiments.length);
    expect(lines.map((line) => line.trim())).to.include('{"feature":"bclim","state":"ignored"}');
    expect(readBaseline(file)).to.deep.equal(baselineOf(table));
    expect(readdirSync(join(folder, 'nightly'))).to.deep.equal(['baseline.json']);
  });

  it('is the same text for the same table, and one line different for one experiment', () => {
    const text = (observed: Record<string, number>) => formatBaseline(baselineOf(aTable(observed)));
    expect(text({ b: 1, a: 2 })).to.equal(text({ a: 2, b: 1 }));
    const [one, other] = [text({ a: 1 }), text({ a: 2 })].map((each) => each.split('\n'));
    expect(one!.filter((line, index) => line !== other![index])).to.have.lengthOf(1);
  });

  it('comes back as it was written, whatever is in it', () => {
    const word = fc.string({ unit: 'binary', minLength: 1 });
    const experiment = fc.record(
      {
        experiment: word,
        verdict: fc.constantFrom('passed', 'failed', 'skipped', 'error'),
        error: fc.constant(true),
        expected: word,
        alarm: word,
        observed: fc.dictionary(
          word.filter((key) => key !== '__proto__'),
          fc.oneof(word, fc.integer(), fc.boolean()),
        ),
      },
      { requiredKeys: ['experiment', 'verdict'] },
    );
    const kernel = fc.record({
      ...{ name: word, version: word, release: word },
      experiments: fc.uniqueArray(experiment, { selector: (each) => each.experiment, maxLength: 3 }),
      features: fc.uniqueArray(fc.record({ feature: word, state: fc.constantFrom('supported', 'unknown') }), {
        selector: (each) => each.feature,
        maxLength: 3,
      }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(kernel, { selector: ({ name }) => name, maxLength: 3 }), (kernels) => {
        const baseline = { schema: 2, date: '2026-11-21T08:15:00.500Z', macvlab: ['0.1.0'], kernels } as Baseline;
        writeBaseline(file, baseline);
        // as JSON: fast-check's records have no prototype
        expect(JSON.stringify(readBaseline(file))).to.equal(JSON.stringify(baseline));
      }),
      { numRuns: 30 },
    );
  }).timeout(60_000);

  it('of schema 1, which names experiments by id and title: is read with their keys', () => {
    const old = { schema: 1, date: '2026-11-21T08:15:00.500Z', macvlab: ['0.1.0'] };
    const experiments = [
      { experiment: 'A1.3 vepa: ns1 does not reach its sibling, for the switch does not reflect', verdict: 'passed' },
      { experiment: 'X3.1 bridge, hairpin on: a multicast of ns1 reaches its sibling', verdict: 'failed' },
    ];
    const kernels = [{ name: '5.10', version: '5.10.262', release: 'r', experiments, features: [] }];
    mkdirSync(join(folder, 'nightly'));
    writeFileSync(file, JSON.stringify({ ...old, kernels }));
    const read = readBaseline(file);
    expect(read.schema).to.equal(2);
    expect(read.kernels[0]?.experiments).to.deep.equal([
      { experiment: 'a1-vepa-to-sibling', verdict: 'passed' },
      { experiment: 'x3-multicast-bridge-hairpin-on', verdict: 'failed' },
    ]);
    mkdirSync(join(folder, 'history'));
    writeFileSync(join(folder, 'history', '20261121-081500.json'), readFileSync(file));
    expect(readBaseline(join(folder, 'history'))).to.deep.equal(read);
  });

  it('is not made of a matrix that is not complete', () => {
    const partial = tableOf(matrixOf([aPerformance(old, [aRecordOf(0)], { planned: 4, interrupted: true })]), []);
    const error = errorOf(() => baselineOf(partial));
    expect(error.code).to.equal('NO_EVIDENCE');
    expect(error.evidence).to.equal('5.10: 3 experiments have not been performed');
  });

  it('keeps what was known where there is an error now', () => {
    const before = baselineOf(aTable({ [copies]: 2 }));
    const failure = { code: 'KERNEL_FETCH', message: 'no network' };
    const broken = tableOf(matrixOf([{ kernel: { ...old, failure }, runs: [] }, aPerformance(recent)]), []);
    const after = baselineOf(broken, before);
    expect(after.kernels[0]).to.deep.equal({
      ...before.kernels[0],
      failure: 'KERNEL_FETCH: no network',
      experiments: before.kernels[0]?.experiments.map((experiment) => ({ ...experiment, error: true })),
    });
    expect(baselineOf(broken).kernels[0]?.experiments[1]).to.deep.equal({
      ...{ experiment: keyOf(someExperiments[1]!), verdict: 'error' },
    });
    expect(baselineOf(aTable({ [copies]: 2 }), after).kernels[0]).to.deep.equal(before.kernels[0]);
  });

  it('that is not there is told, with how to make one; unless it may be missing', () => {
    const missing = errorOf(() => readBaseline(file));
    expect(missing).to.include({ code: 'USAGE', message: `there is no baseline ${file}` });
    expect(missing.next).to.include('--update-baseline');
    const empty = errorOf(() => readBaseline(folder));
    expect(empty).to.include({ code: 'USAGE', message: `there is no baseline in ${folder}` });
    expect(empty.next).to.include('--update-baseline');
    for (const path of [file, folder]) expect(readBaseline(path, { mayBeMissing: true })).to.equal(undefined);
  });

  it('that cannot be read is told with the file and what is wrong, also when it may be missing', () => {
    const text = formatBaseline(baselineOf(aTable()));
    const why = (content: string) => {
      writeFileSync(join(folder, 'x.json'), content);
      const error = errorOf(() => readBaseline(join(folder, 'x.json'), { mayBeMissing: true }));
      expect(error.code).to.equal('USAGE');
      expect(error.message).to.include(join(folder, 'x.json'));
      return `${error.message}: ${error.evidence ?? ''}`;
    };
    expect(why(text.slice(0, 500))).to.include('it is no JSON, or was cut short');
    expect(why('')).to.include('it is no JSON, or was cut short');
    expect(why(text.replace('"schema": 2', '"schema": 3'))).to.include(
      'it has schema 3, and this macvlab reads schemas 1 and 2',
    );
    for (const other of ['[]', 'null', '{}', '{"schema": "1"}']) expect(why(other)).to.include('it is no baseline');
    expect(why(text.replace('"verdict":"passed"', '"verdict":"great"'))).to.match(
      /kernels\[0\]\.experiments\[0\]\.verdict/,
    );
    expect(why(text.replace('"7.2"', '"5.10"'))).to.include('5.10 stands here twice');
    expect(why(text.replace('2026-11-21T08:15:00.500Z', 'yesterday'))).to.match(/date/);
  });

  it('that cannot be written is told, and leaves the one before whole', () => {
    const path = writeBaseline(file, baselineOf(aTable()));
    const before = readFileSync(path, 'utf8');
    mkdirSync(join(folder, 'taken'));
    writeFileSync(join(folder, 'taken', 'file'), '');
    const inTheWay = errorOf(() => writeBaseline(join(folder, 'taken', 'file', 'b.json'), baselineOf(aTable())));
    expect(inTheWay.code).to.equal('OUT_NOT_WRITABLE');
    expect(readFileSync(path, 'utf8')).to.equal(before);
  });
});

describe('the history of baselines', () => {
  let folder: string;

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'macvlab-history-')), 'history');
  });

  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  const at = (date: string, release = 'r'): Baseline => ({
    ...{ schema: 2, date, macvlab: ['0.1.0'] },
    kernels: [{ name: '6.12', version: '6.12.117', release, experiments: [], features: [] }],
  });

  it('has a file per matrix, named by its date and time, and nothing else', () => {
    keepInHistory(folder, at('2026-11-20T23:00:00.500Z'));
    keepInHistory(folder, at('2026-11-21T08:15:00.500Z'));
    keepInHistory(folder, at('2026-11-21T08:15:00.500Z'));
    expect(readdirSync(folder).sort()).to.deep.equal(['20261120-230000.json', '20261121-081500.json']);
  });

  it('keeps two of the same second, and knows the later', () => {
    for (let nth = 1; nth <= 11; nth++) keepInHistory(folder, at('2026-11-21T08:15:00.500Z', `r${nth}`));
    expect(newestOf(folder)).to.equal(join(folder, '20261121-081500-11.json'));
    expect(readBaseline(folder).kernels[0]?.release).to.equal('r11');
  });

  it('gives its newest as a baseline, or the newest before a matrix; files of others do not matter', () => {
    const early = at('2026-11-20T23:00:00.500Z', 'early');
    const late = at('2026-11-21T08:15:00.500Z', 'late');
    writeBaseline(`${folder}/`, late);
    writeBaseline(folder, early);
    for (const other of ['README.md', '20991231-000000.json.bak', 'latest.json', '.20261121-235959.json.77']) {
      writeFileSync(join(folder, other), 'no baseline');
    }
    expect(readBaseline(folder)).to.deep.equal(late);
    expect(readBaseline(folder, { before: late.date })).to.deep.equal(early);
    expect(readBaseline(folder, { before: early.date, mayBeMissing: true })).to.equal(undefined);
  });

  it('says when it cannot be written', function () {
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) {
      mkdirSync(folder);
      chmodSync(folder, 0o500);
    }
    const forbidden = isRoot ? '/proc/macvlab-history' : folder;
    expect(errorOf(() => keepInHistory(forbidden, at('2026-11-20T23:00:00.500Z'))).code).to.equal('OUT_NOT_WRITABLE');
  });
});
