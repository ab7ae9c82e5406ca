import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { errorOf } from '../core/error.test-support.js';
import { keyOf } from '../run/record.js';
import { readMatrix, slotFolder } from './folder.js';
import { putMatrix } from './matrix-files.test-support.js';
import { aKernel, aMatrix, aPerformance, aRecordOf, aRunOf, someExperiments } from './matrix.test-support.js';
import { mergeMatrices } from './merge.js';
import type { MatrixKernel, MatrixRecord, MatrixResults } from './record.js';
import { shareOut } from './plan/shard.js';
import { openExperiments, plannedOn, recordsOf } from './plan/todo.js';
import { needsRoot } from '../setup/needs.test-support.js';

describe('parts of a matrix put together', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-merge-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const at = (...path: string[]) => join(folder, ...path);

  const kernels = ['5.10.262', '6.1.192', '7.3-rc7'].map((version) => aKernel(version));

  /** Writes a shard in a separate folder, as from another machine. The ids of its runs contain the shard's index. */
  function putShard(index: number, count: number, given: Partial<MatrixRecord> = {}): string {
    const matrix = aMatrix({ kernels, shard: { index, count }, id: `20261121-08150${index}-aaaa`, ...given });
    matrix.kernels = shareOut(matrix.kernels, matrix.experiments, { index, count });
    const performed = matrix.kernels.map((kernel) => {
      const records = plannedOn(matrix, kernel).map((experiment, at) => {
        const position = someExperiments.findIndex((each) => keyOf(each) === keyOf(experiment));
        return aRecordOf(position, { number: at + 1, observed: { on: kernel.release } });
      });
      return { kernel, runs: records.length === 0 ? [] : [aRunOf(kernel, records, { nth: index })] };
    });
    return putMatrix(at(`machine ${index}`), matrix, performed);
  }

  const merge = async (parts: readonly string[]) => {
    const { folder: merged, missing } = await mergeMatrices(parts, at('out'), ['merge']);
    return { results: await readMatrix(merged), missing };
  };

  /** The data for tables: by kernel, the records that count, without their numbers. */
  const tableOf = ({ matrix, kernels: all }: MatrixResults) =>
    all.map((results) => ({
      kernel: results.kernel,
      records: someExperiments.map((experiment) => {
        const { number: _, evidence: __, ...record } = recordsOf(results).get(keyOf(experiment))?.record ?? {};
        return record;
      }),
      open: openExperiments(matrix, results).length,
    }));

  it('have the records, kernels and experiments of one that was performed in one piece', async () => {
    const whole = tableOf((await merge([putShard(1, 1)])).results);
    expect(whole.map(({ open }) => open)).to.deep.equal([0, 0, 0]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(fc.nat(), { minLength: 6 }), async (count, dice) => {
        rmSync(folder, { recursive: true, force: true });
        const parts = Array.from({ length: count }, (_, position) => putShard(position + 1, count));
        const shuffled = parts.map((part, position) => ({ part, at: dice[position] ?? 0 })).sort((a, b) => a.at - b.at);
        const { results, missing } = await merge(shuffled.map(({ part }) => part));
        expect(tableOf(results)).to.deep.equal(whole);
        expect(results.matrix).to.deep.include({ kernels, experiments: someExperiments, interrupted: false });
        expect(results.matrix).not.to.have.property('shard');
        expect(missing).to.deep.equal([]);
      }),
      { numRuns: 10 },
    );
  });

  it('have their evidence beside them, and no parts’ own reports', async () => {
    const parts = [putShard(1, 2), putShard(2, 2)];
    writeFileSync(join(parts[0] ?? '', 'table.md'), 'of a part');
    const { results } = await merge(parts);
    expect(readdirSync(results.folder).sort()).to.deep.equal(['kernels', 'matrix.json']);
    for (const { kernel, runs } of results.kernels) {
      for (const { folder: run, records } of runs) {
        const [first] = records;
        expect(readFileSync(join(run, first?.evidence[0]?.file ?? ''), 'utf8')).to.equal(`frames of ${kernel.name}`);
      }
    }
  });

  it('tell when they were performed, and whether they were to their end', async () => {
    const times = { startedAt: '2026-11-21T07:00:00.000Z', endedAt: '2026-11-21T09:00:00.000Z', durationMs: 1000 };
    const first = putShard(1, 2, times);
    expect((await merge([putShard(2, 2), first])).results.matrix).to.include({ ...times, durationMs: 241_000 });
    const second = putShard(2, 2, { interrupted: true, id: '20261121-081509-bbbb' });
    expect((await merge([first, second])).results.matrix).to.include({ interrupted: true });
  });

  it('are there once when they are given twice', async () => {
    const part = putShard(1, 2);
    const { results, missing } = await merge([part, part, putShard(2, 2), part]);
    expect(results.kernels.map(({ runs }) => runs.length)).to.deep.equal([1, 2, 1]);
    expect(missing).to.deep.equal([]);
    const again = await merge([results.folder, results.folder]);
    expect(tableOf(again.results)).to.deep.equal(tableOf(results));
  });

  it('are all there when two machines have thought of the same id', async () => {
    const [kernel] = kernels as [MatrixKernel];
    const parts = [0, 1].map((position) => {
      const matrix = aMatrix({ kernels: [{ ...kernel, share: [position] }], machine: `machine ${position}` });
      return putMatrix(at(`machine ${position}`), matrix, [
        aPerformance(kernel, [aRecordOf(position)], { machine: `machine ${position}` }),
      ]);
    });
    const { results } = await merge(parts);
    expect(results.kernels[0]?.runs.map(({ run }) => run.machine)).to.deep.equal(['machine 0', 'machine 1']);
    expect(openExperiments(results.matrix, results.kernels[0]!)).to.have.lengthOf(2);
  });

  it('are missed by name, and what they would have brought is open', async () => {
    const { results, missing } = await merge([putShard(2, 4), putShard(4, 4)]);
    expect(missing).to.deep.equal(['1/4', '3/4']);
    const open = results.kernels.flatMap((each) => openExperiments(results.matrix, each)).length;
    const done = results.kernels.flatMap((each) => [...recordsOf(each)]).length;
    expect(open + done).to.equal(kernels.length * someExperiments.length);
    expect(open).to.be.above(0);
  });

  it('may be matrices of different kernels, each with its own parts', async () => {
    const newer = [aKernel('6.12.117'), aKernel('6.18.15')];
    const { results, missing } = await merge([
      putShard(1, 2),
      putShard(2, 2),
      putShard(1, 3, { kernels: newer, id: 'newer' }),
    ]);
    expect(missing).to.deep.equal(['2/3', '3/3']);
    expect(results.matrix.kernels.map(({ name }) => name)).to.deep.equal(['5.10', '6.1', '6.12', '6.18', '7.3']);
  });

  it('stand by their age, candidates before their release', async () => {
    const parts = [aKernel('7.3.1'), aKernel('7.3', { name: 'seven' }), aKernel('7.3-rc7', { name: '7.3-rc' })].map(
      (kernel) => putMatrix(at(kernel.name), aMatrix({ kernels: [kernel] }), [aPerformance(kernel)]),
    );
    const { results } = await merge(parts);
    expect(results.matrix.kernels.map(({ name }) => name)).to.deep.equal(['7.3-rc', 'seven', '7.3']);
  });

  it('have slots of their own where two kernels had the same in different parts', async () => {
    const named = [aKernel('6.1.192', { slot: 'x' }), aKernel('6.12.117', { slot: 'x' })];
    const parts = named.map((kernel) =>
      putMatrix(at(kernel.name), aMatrix({ kernels: [kernel] }), [aPerformance(kernel)]),
    );
    const { results } = await merge(parts);
    expect(results.kernels.map(({ kernel, runs }) => [kernel.slot, runs.length])).to.deep.equal([
      ['x', 1],
      ['x-2', 1],
    ]);
  });

  it('keep why nothing could be performed on a kernel', async () => {
    const failure = { code: 'WORKER_DIED', message: 'it is gone' };
    const first = putShard(1, 2);
    const failed = kernels.map((kernel, position) => (position === 2 ? { ...kernel, failure } : kernel));
    const { results } = await merge([first, putShard(2, 2, { kernels: failed })]);
    expect(results.matrix.kernels.map((kernel) => kernel.failure)).to.deep.equal([undefined, undefined, failure]);
  });

  describe('are refused, and nothing is made,', () => {
    const refused = async (...parts: string[]) => {
      const error = await errorOf(mergeMatrices(parts, at('out'), []));
      expect(existsSync(at('out')), 'something was made').to.equal(false);
      return error;
    };

    it('when their experiments are not the same', async () => {
      const { code, message } = await refused(
        putShard(1, 2),
        putShard(2, 2, { experiments: someExperiments.slice(1), id: 'other' }),
      );
      expect(code).to.equal('USAGE');
      expect(message).to.match(/machine 1.* and .*machine 2.* are not parts of one matrix: their experiments/);
    });

    it('when a kernel is another one, also among candidates of one release', async () => {
      const others = kernels.map((kernel, position) => {
        if (position === 1) return { ...kernel, release: '6.1.0-57', spec: '6.1.193-1', version: '6.1.193' };
        return kernel;
      });
      const { message, next } = await refused(putShard(1, 2), putShard(2, 2, { kernels: others }));
      expect(message).to.include('6.1 is 6.1.192-cloud-amd64 in one, 6.1.0-57 (6.1.193) in the other');
      expect(next).to.include('--kernels 6.1=6.1.193-1');
      const [rc6, rc7] = ['rc6', 'rc7'].map((candidate) => {
        const kernel = aKernel(`7.3-${candidate}`, { name: '7.3-rc', release: '7.3-cloud-amd64' });
        return putMatrix(at(candidate), aMatrix({ kernels: [kernel] }));
      });
      expect((await refused(rc6!, rc7!)).message).to.include('(7.3-rc6) in one, 7.3-cloud-amd64 (7.3-rc7)');
    });

    it('when there are none, or one is no matrix', async () => {
      expect((await refused()).code).to.equal('USAGE');
      expect((await refused(putShard(1, 2), at('none'))).message).to.include('none/matrix.json');
      const folder = putShard(2, 2);
      writeFileSync(
        join(folder, 'matrix.json'),
        readFileSync(join(folder, 'matrix.json'), 'utf8').replace('"slot": "', '"slot": "../'),
      );
      expect((await refused(folder)).code).to.equal('USAGE');
    });
  });

  it('leave out what is no file of a run: links, pipes', async () => {
    const part = putShard(1, 1);
    const [kernel] = kernels as [MatrixKernel];
    const [run = ''] = readdirSync(slotFolder(part, kernel)).filter((name) => name !== 'latest');
    symlinkSync('/etc/passwd', join(slotFolder(part, kernel), run, 'passwd'));
    symlinkSync('/', join(slotFolder(part, kernel), run, 'evidence/root'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(slotFolder(part, kernel), run, 'evidence/pipe')]);
    const { results } = await merge([part]);
    const copied = results.kernels[0]?.runs[0]?.folder ?? '';
    expect(readdirSync(copied).sort()).to.deep.equal(['evidence', 'records', 'run.json']);
    expect(readdirSync(join(copied, 'evidence')).filter((name) => !/^\d{3}-/.test(name))).to.deep.equal([]);
  });

  it('leave nothing when the disk is full', function () {
    // Only root can mount, in a separate namespace.
    needsRoot(this);
    const part = putShard(1, 1);
    const [kernel] = kernels as [MatrixKernel];
    const [run = ''] = readdirSync(slotFolder(part, kernel)).filter((name) => name !== 'latest');
    writeFileSync(join(slotFolder(part, kernel), run, 'evidence/big'), Buffer.alloc(2 ** 20));
    mkdirSync(at('small'));
    // The module is loaded in a process whose disk has half the size of that file.
    const script = `
      import { mergeMatrices } from ${JSON.stringify(new URL('merge.js', import.meta.url).href)};
      import { readdirSync } from 'node:fs';
      const [part, out] = process.argv.slice(1);
      const code = await mergeMatrices([part], out, []).then(() => 'merged', (error) => error.code + ' ' + error.next);
      console.log(JSON.stringify({ code, left: readdirSync(out) }));`;
    const words = 'mount -t tmpfs -o size=512k small "$2" && exec "$0" --input-type=module -e "$3" "$1" "$2"';
    const argv = ['-m', 'sh', '-c', words, process.execPath, part, at('small'), script];
    const { code, left } = JSON.parse(execFileSync('unshare', argv, { encoding: 'utf8' })) as {
      code: string;
      left: string[];
    };
    expect(code).to.match(/^OUT_NOT_WRITABLE the disk is full/);
    expect(left).to.deep.equal([]);
  });
});
