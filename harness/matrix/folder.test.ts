import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { errorOf } from '../core/error.test-support.js';
import { MacvlabError } from '../core/error.js';
import { createMatrixFolder, findLatestMatrix, freeSlot, readMatrix, slotFolder } from './folder.js';
import { putMatrix } from './matrix-files.test-support.js';
import { aKernel, aMatrix, aPerformance, aRecordOf, aRunOf } from './matrix.test-support.js';
import { recordsOf } from './plan/todo.js';
import type { KernelResults } from './record.js';
import type { TestRecord } from '../run/record.js';

describe('the folder of a matrix', () => {
  let out = '';
  beforeEach(() => (out = join(mkdtempSync(join(tmpdir(), 'macvlab-matrix-')), 'reports')));
  afterEach(() => rmSync(join(out, '..'), { recursive: true, force: true }));

  const kernel = aKernel('6.1.192');
  const other = aKernel('6.12.117');
  const matrix = aMatrix({ kernels: [kernel, other], mode: 'bridge', shard: { index: 2, count: 3 } });

  let made = 0;
  beforeEach(() => (made = 0));
  const put = (kernels: KernelResults[] = [aPerformance(kernel), aPerformance(other)]) =>
    putMatrix(out, { ...matrix, ...(made++ > 0 && { id: `${matrix.id}-${made}` }) }, kernels);
  /** Replaces a part of matrix.json. */
  const change = (folder: string, to: object) => {
    const file = join(folder, 'matrix.json');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...to }));
  };
  const damage = async (to: object): Promise<MacvlabError> => {
    const folder = put([]);
    change(folder, to);
    return errorOf(readMatrix(folder));
  };

  it('is read back as it was written, runs from the oldest to the newest', async () => {
    const runs = [1, 2, 3].map((nth) => aRunOf(kernel, [aRecordOf(nth - 1)], { nth }));
    const folder = put([{ kernel, runs: runs.toReversed() }]);
    const inFolder = runs.map((run) => ({ ...run, folder: join(slotFolder(folder, kernel), run.run.id) }));
    expect(await readMatrix(folder)).to.deep.equal({
      folder,
      matrix,
      kernels: [
        { kernel, runs: inFolder },
        { kernel: other, runs: [] },
      ],
    });
  });

  it('is found as the last one, and stays the same when another is begun', async () => {
    const folder = put();
    expect(readlinkSync(join(out, 'latest-matrix'))).to.equal(matrix.id);
    const found = findLatestMatrix(out);
    expect((await readMatrix(found)).folder).to.equal(folder);
    createMatrixFolder(out, { ...matrix, id: '20261121-091500-0000' });
    expect((await readMatrix(found)).matrix.id).to.equal('20261121-091500-0000');
  });

  it('is not found where there is none, or where it was removed', () => {
    expect(() => findLatestMatrix(out))
      .to.throw(MacvlabError, 'there is no matrix in')
      .with.property('code', 'USAGE');
    rmSync(put(), { recursive: true });
    expect(() => findLatestMatrix(out))
      .to.throw(MacvlabError)
      .with.property('next')
      .that.includes('macvlab matrix');
  });

  it('is read while it is going on, and after it was killed', async () => {
    const going = { ...matrix };
    delete going.endedAt;
    const folder = putMatrix(out, going, [aPerformance(kernel, [aRecordOf(0)])]);
    // A run with nothing but its folder, and files whose writers were killed.
    mkdirSync(join(slotFolder(folder, other), '20261121-081501-0000/records'), { recursive: true });
    writeFileSync(join(folder, '.matrix.json.123'), '{"sch');
    const [run] = readdirSync(slotFolder(folder, kernel)).filter((name) => name !== 'latest');
    writeFileSync(join(slotFolder(folder, kernel), run ?? '', 'records/.001.json.123'), '{"sch');
    const { kernels } = await readMatrix(folder);
    expect(kernels.map(({ runs }) => runs.map(({ records }) => records.length))).to.deep.equal([[1], []]);
  });

  for (const [what, file] of [
    ['what it is', 'matrix.json'],
    ['a run', 'kernels/6.1/20261121-081501-4f2a/run.json'],
    ['a record', 'kernels/6.1/20261121-081501-4f2a/records/001-a1-vepa-to-sibling.json'],
  ] as const) {
    it(`is told to be damaged when the file of ${what} is cut short, by name`, async () => {
      const folder = put();
      truncateSync(join(folder, file), 20);
      const { code, message, next } = await errorOf(readMatrix(folder));
      expect(code).to.equal('USAGE');
      expect(message).to.include(join(folder, file));
      expect(next).to.include('move it away');
    });
  }

  it('is told to be none when there is nothing, or something else', async () => {
    expect((await errorOf(readMatrix(join(out, 'none')))).message).to.include('none/matrix.json');
    expect((await errorOf(readMatrix(''))).code).to.equal('USAGE');
    const folder = put();
    writeFileSync(join(folder, 'matrix.json'), '[]');
    expect((await errorOf(readMatrix(folder))).code).to.equal('USAGE');
  });

  it('is refused when it leads out of itself', async () => {
    for (const slot of ['../x', '..', '.', '', '/etc', 'a/b', '.hidden', 'a\nb'])
      expect(await damage({ kernels: [{ ...kernel, slot }] }), slot).to.have.property('code', 'USAGE');
    expect((await damage({ id: '../../other' })).evidence).to.include('is not the name of a folder');
    const folder = put([
      aPerformance(kernel, [aRecordOf(0, { evidence: [{ kind: 'pcap', file: '../../../etc/passwd', title: 'x' }] })]),
    ]);
    expect((await errorOf(readMatrix(folder))).evidence).to.include('leads out of the run’s folder');
  });

  it('of schema 1, whose experiments have no keys: is read with the keys of ids and titles, and so are its records', async () => {
    const folder = put();
    const old = [
      { id: 'A1.3', title: 'vepa: ns1 does not reach its sibling, for the switch does not reflect' },
      { id: 'X3.1', title: 'bridge, hairpin on: a multicast of ns1 reaches its sibling' },
      { id: 'X3.1', title: 'vepa, hairpin off: a multicast of ns1 does not reach its sibling' },
      { id: 'X4.1', title: 'source: a child is given only what its listed sources send' },
    ];
    const file = join(folder, 'matrix.json');
    const experiments = old.map((each) => ({ ...each, suite: 'S', file: 'suites/s.ts' }));
    writeFileSync(file, JSON.stringify({ ...matrix, schema: 1, experiments }));
    for (const slot of [kernel, other])
      for (const run of readdirSync(slotFolder(folder, slot)).filter((name) => name !== 'latest')) {
        const records = join(slotFolder(folder, slot), run, 'records');
        for (const name of readdirSync(records)) {
          const { key: _, ...record } = JSON.parse(readFileSync(join(records, name), 'utf8')) as TestRecord;
          const named = { ...record, ...old[record.number - 1], schema: 1 };
          writeFileSync(join(records, name), JSON.stringify(named));
        }
      }
    const read = await readMatrix(folder);
    const keys = matrix.experiments.map(({ key }) => key);
    expect(read.matrix.schema).to.equal(2);
    expect(read.matrix.experiments.map(({ key }) => key)).to.deep.equal(keys);
    for (const each of read.kernels) expect([...recordsOf(each).keys()]).to.have.members(keys);
  });

  it('is refused when it contradicts itself', async () => {
    for (const [to, words] of [
      [{ kernels: [kernel, { ...other, slot: kernel.slot }] }, 'two kernels have the same slot'],
      [{ kernels: [kernel, { ...other, name: kernel.name }] }, 'two kernels have the same name'],
      [{ kernels: [] }, 'kernels'],
      [{ experiments: [] }, 'experiments'],
      [{ experiments: [...matrix.experiments, ...matrix.experiments] }, 'an experiment is there twice'],
      [{ kernels: [{ ...kernel, share: [0, 99] }] }, 'a share is not of its experiments'],
      [{ kernels: [{ ...kernel, share: [1, 1] }] }, 'a share is not of its experiments'],
      [{ shard: { index: 3, count: 2 } }, 'there can be no part 3/2'],
      [{ experiments: matrix.experiments.map(({ key: _, ...each }) => each) }, 'key'],
      [{ startedAt: 'yesterday' }, 'startedAt'],
    ] as const) {
      const { code, evidence } = await damage(to);
      expect(code).to.equal('USAGE');
      expect(evidence).to.include(words);
    }
  });

  it('is refused when another version of macvlab has written it', async () => {
    const { code, message, next } = await damage({ schema: 3 });
    expect({ code, next: next.slice(0, 37) }).to.deep.equal({
      code: 'USAGE',
      next: 'use the version of macvlab that wrote',
    });
    expect(message).to.include('matrix.json has schema 3');
  });

  it('takes no number that no matrix has', async () => {
    for (const number of [-1, 0.5, 1e15, '1e999', 'null', '"1"']) {
      const folder = put([]);
      const file = join(folder, 'matrix.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace(/"count": 3/, `"count": ${number}`));
      expect(await errorOf(readMatrix(folder)), `${number}`).to.have.property('code', 'USAGE');
    }
  });

  it('has no links: they lead to files of others', async () => {
    const folder = put();
    const elsewhere = join(out, 'elsewhere');
    renameSync(slotFolder(folder, kernel), elsewhere);
    symlinkSync(elsewhere, slotFolder(folder, kernel));
    const [run = ''] = readdirSync(slotFolder(folder, other)).filter((name) => name !== 'latest');
    symlinkSync(run, join(slotFolder(folder, other), '20261121-999999-0000'));
    expect((await readMatrix(folder)).kernels.map(({ runs }) => runs.length)).to.deep.equal([0, 1]);
    rmSync(slotFolder(folder, kernel));
    renameSync(join(folder, 'kernels'), `${elsewhere}2`);
    symlinkSync(`${elsewhere}2`, join(folder, 'kernels'));
    expect((await readMatrix(folder)).kernels.map(({ runs }) => runs.length)).to.deep.equal([0, 0]);
  });

  it('is not made where a file is in the way, or half', () => {
    mkdirSync(join(out, '..'), { recursive: true });
    writeFileSync(out, '');
    expect(() => put())
      .to.throw(MacvlabError)
      .with.property('code', 'OUT_NOT_WRITABLE');
    rmSync(out);
    putMatrix(out, matrix);
    const before = readlinkSync(join(out, 'latest-matrix'));
    expect(() => putMatrix(out, matrix))
      .to.throw(MacvlabError)
      .with.property('code', 'OUT_NOT_WRITABLE');
    const second = { ...matrix, id: '20261121-091500-0000' };
    const fail = () => {
      throw new Error('in the middle');
    };
    expect(() => createMatrixFolder(out, second, fail)).to.throw('in the middle');
    expect(existsSync(join(out, second.id))).to.equal(false);
    expect(readlinkSync(join(out, 'latest-matrix'))).to.equal(before);
  });

  it('is not made in a folder that may not be written', () => {
    // root can write everywhere except in the kernel's own file systems
    const forbidden = process.geteuid?.() === 0 ? '/proc/macvlab' : join(out, 'forbidden');
    if (!forbidden.startsWith('/proc')) {
      mkdirSync(forbidden, { recursive: true });
      chmodSync(forbidden, 0o500);
    }
    expect(() => createMatrixFolder(forbidden, matrix))
      .to.throw(MacvlabError)
      .with.property('code', 'OUT_NOT_WRITABLE');
  });

  it('has a slot for each kernel', () => {
    const taken = ['6.1', '6.1-2', '6.1-4'].map((slot) => ({ slot }));
    expect(freeSlot({ slot: '6.1' }, taken)).to.equal('6.1-3');
    expect(freeSlot({ slot: '6.12' }, taken)).to.equal('6.12');
  });
});
