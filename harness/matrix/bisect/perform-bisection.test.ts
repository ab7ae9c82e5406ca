import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { loadCatalogue, select } from '../../run/suite/catalogue.js';
import { createBisectionFolder } from './bisection-folder.js';
import type { BisectionRecord, TriedKernel } from './bisection-record.js';
import { experimentKeyOf } from '../record.js';
import { performBisection } from './perform-bisection.js';

/** Real processes, whose guests cannot boot: their kernel files contain text. */
describe('performing a bisection', function performing() {
  this.timeout(120_000);
  let out = '';
  const said: string[] = [];

  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'macvlab-bisection-'));
    said.length = 0;
  });
  afterEach(() => rmSync(out, { recursive: true, force: true }));

  function aKernel(name: string): TriedKernel {
    const image = join(out, name);
    writeFileSync(image, 'not a kernel\n');
    return { name, spec: image, version: name, release: name, slot: name };
  }

  async function aBisection(...names: string[]): Promise<{ folder: string; record: BisectionRecord }> {
    const experiments = select(await loadCatalogue(), { filters: ['A1.3'] });
    const record: BisectionRecord = {
      ...{ schema: 2, id: '20261121-081500-4f2a', macvlab: '0.1.0', arguments: ['bisect'], machine: 'bench1' },
      ...{ startedAt: new Date().toISOString(), interrupted: false, filter: 'A1.3', criteria: [] },
      ...{ good: 'oldest', seriesOnly: false, kernels: names.map(aKernel) },
      experiments: experiments.map(experimentKeyOf),
    };
    return { folder: createBisectionFolder(out, record), record };
  }

  const listener = {
    remark: () => undefined,
    trying: (kernels: readonly TriedKernel[], step: number) =>
      void said.push(`${step}: ${kernels.map(({ name }) => name).join(' ')}`),
    tried: ({ name }: TriedKernel) => void said.push(name),
    differs: () => void said.push('differs'),
  };

  for (const jobs of [1, 2]) {
    it(`ends when a control cannot tell, with ${jobs} at once: both are shown, and nothing between is tried`, async () => {
      const { folder, record } = await aBisection('one', 'two', 'three');
      await performBisection(folder, record, { jobs, signal: new AbortController().signal, listener });
      expect(record.failure?.code).to.equal('CONTROL_FAILED');
      expect(record.failure?.message).to.equal(
        'one cannot tell what it does in A1.3, so that there is nothing to compare',
      );
      expect(record.failure?.details).to.match(/^one \(good\): .*\n(?:.*\n)*three \(bad\): /);
      expect(record.failure?.next).to.not.equal('');
      expect(record).to.not.have.property('answer');
      expect(said.filter((each) => each.includes('two'))).to.deep.equal([]);
      expect(new Set(said)).to.deep.equal(
        new Set([...(jobs === 1 ? ['0: one', '0: three'] : ['0: one three']), 'one', 'three']),
      );
      for (const kernel of [record.kernels[0], record.kernels[2]])
        expect(existsSync(join(folder, kernel?.folder ?? '', 'run.json'))).to.equal(true);
      const written = JSON.parse(readFileSync(join(folder, 'bisection.json'), 'utf8')) as BisectionRecord;
      expect(written).to.deep.equal(record);
      expect(written.endedAt).to.be.a('string');
    });
  }

  it('leaves its record when it is interrupted', async () => {
    const { folder, record } = await aBisection('one', 'two');
    const interruption = new AbortController();
    const trying = () => interruption.abort(new MacvlabError('INTERRUPTED', 'by a test', { next: 'nothing' }));
    await performBisection(folder, record, { jobs: 2, signal: interruption.signal, listener: { ...listener, trying } });
    expect(record.interrupted).to.equal(true);
    const written = JSON.parse(readFileSync(join(folder, 'bisection.json'), 'utf8')) as BisectionRecord;
    expect(written.interrupted).to.equal(true);
    expect(written).to.not.have.any.keys('answer', 'failure');
  });

  it('ends at once where reports cannot be written', async () => {
    const { folder, record } = await aBisection('one', 'two');
    writeFileSync(join(folder, 'kernels'), 'in the way');
    const error: unknown = await performBisection(folder, record, {
      ...{ jobs: 1, signal: new AbortController().signal, listener },
    }).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'OUT_NOT_WRITABLE' });
    expect(said).to.deep.equal(['0: one']);
  });
});
