import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { poll } from '../../core/wait.js';
import { cachedKernels } from '../../kernel/debian/debian-kernel.js';
import { aBzImage, put } from '../../kernel/own/own-kernel.test-support.js';
import { identify, isRunning } from '../../core/process-identity.js';
import { whyNoGuests } from '../../machine/vm/vm.test-support.js';
import { needs } from '../../setup/needs.test-support.js';
import { readMatrix, slotFolder } from '../folder.js';
import { putMatrix } from '../matrix-files.test-support.js';
import { aKernel, aMatrix, aPerformance, someExperiments } from '../matrix.test-support.js';
import { descendantsOf, MatrixProcess } from './run-matrix.test-support.js';
import type { MatrixKernel, MatrixResults } from '../record.js';
import { openExperiments, recordsOf } from '../plan/todo.js';

const why = whyNoGuests();

/** Of two suite files, so that two labs have work. */
const filters = ['A0.1', 'A4.1'];

describe(`a matrix being performed${why}`, function matrix() {
  this.timeout(300_000);
  let out = '';
  const begun: MatrixProcess[] = [];

  before(function needsGuests() {
    if (why) this.skip();
  });
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-matrix-'))));
  afterEach(() => {
    // Processes of a failed test; a process that has ended gets no signal.
    for (const { process } of begun.splice(0)) if (process.exitCode === null) process.kill('SIGKILL');
    rmSync(out, { recursive: true, force: true });
  });

  /** Kernels of the cache, the oldest first; a single one runs under several names. */
  function kernelsOfCache(number: number): MatrixKernel[] {
    const cached = cachedKernels();
    return Array.from({ length: number }, (_, index) => {
      const kernel = cached[index % cached.length];
      if (!kernel) throw new Error('there is a kernel, or all of this is skipped');
      const { upstream, release, version } = kernel;
      return aKernel(upstream, { name: `kernel ${index + 1}`, slot: `kernel-${index + 1}`, release, spec: version });
    });
  }

  function begin(kernels: readonly MatrixKernel[], jobs: number): MatrixProcess {
    const performed = new MatrixProcess({ kernels, filters, out }, jobs);
    begun.push(performed);
    return performed;
  }

  function resume(folder: string, jobs: number): MatrixProcess {
    const performed = new MatrixProcess(folder, jobs);
    begun.push(performed);
    return performed;
  }

  /** By kernel: the verdicts that count. */
  const verdictsOf = ({ kernels }: MatrixResults) =>
    Object.fromEntries(
      kernels.map((results) => [
        results.kernel.name,
        [...recordsOf(results).values()].map(({ record }) => record.verdict),
      ]),
    );

  it('performs each kernel, as many at once as it may, the newest first; one that does not boot disturbs no other', async () => {
    const [older, newer] = kernelsOfCache(2) as [MatrixKernel, MatrixKernel];
    const garbage = aKernel('6.1.0', { name: 'garbage', slot: 'garbage', spec: put(join(out, 'bzImage'), aBzImage()) });
    const gone = aKernel('9.9.9', { name: 'gone', slot: 'gone', spec: join(out, 'gone/bzImage') });
    const performed = await begin([older, garbage, newer, gone], 2).end();
    const results = await readMatrix(performed.folder);

    expect(verdictsOf(results)).to.deep.equal({
      [older.name]: ['passed', 'passed'],
      garbage: [],
      [newer.name]: ['passed', 'passed'],
      gone: [],
    });
    expect(results.matrix).to.include({ interrupted: false }).and.to.have.property('endedAt');
    const failures = Object.fromEntries(
      performed.of('kernelEnded').map((event) => [event.kernel, event.failure?.code]),
    );
    expect(failures).to.deep.equal({
      ...{ [older.name]: undefined, [newer.name]: undefined },
      ...{ garbage: 'GUEST_START', gone: 'KERNEL_UNKNOWN' },
    });
    // Each run reports its own kernel, and that kernel's features.
    for (const position of [0, 2]) {
      const { kernel, runs } = results.kernels[position]!;
      expect(runs.map(({ run }) => run.kernel)).to.deep.equal([kernel.release]);
      expect(runs[0]?.run.features).to.be.an('array').that.is.not.empty;
    }
    for (const position of [1, 3]) expect(results.kernels[position]?.runs[0]?.run.failure).to.have.property('code');

    const order = performed.of('kernelStarted').map(({ kernel }) => kernel);
    expect(order).to.deep.equal(['gone', newer.name, 'garbage', older.name]);
    let running = 0;
    for (const { kind } of performed.events) {
      running += Number(kind === 'kernelStarted') - Number(kind === 'kernelEnded');
      expect(running).to.be.at.most(2);
    }
    expect(performed.events.at(-1)).to.deep.equal({ kind: 'end' });
    expect(readdirSync(performed.folder).sort()).to.deep.equal(['kernels', 'matrix.json']);
  });

  it('uses the room that one kernel leaves, is interrupted in order, and goes on with what is open', async () => {
    const [kernel] = kernelsOfCache(1) as [MatrixKernel];
    const first = begin([kernel], 5);
    await first.told('testEnded', kernel.name);
    const started = descendantsOf(first.process.pid ?? 0);
    first.process.kill('SIGINT');
    await first.end();
    // One lab for each suite file, and no more.
    const guests = started.filter(({ command }) => command.includes('qemu-system'));
    expect(guests).to.have.lengthOf(filters.length);
    expect(started.filter(isRunning)).to.deep.equal([]);

    const partial = await readMatrix(first.folder);
    expect(partial.matrix).to.include({ interrupted: true }).and.to.have.property('endedAt');
    expect(partial.matrix.kernels[0]).not.to.have.property('failure');
    expect(verdictsOf(partial)[kernel.name]).to.include('passed');
    const open = openExperiments(partial.matrix, partial.kernels[0]!).length;

    const second = await resume(first.folder, 1).end();
    const whole = await readMatrix(first.folder);
    expect(verdictsOf(whole)[kernel.name]).to.deep.equal(['passed', 'passed']);
    expect(whole.matrix.interrupted).to.equal(false);
    expect(second.of('testEnded')).to.have.lengthOf(open);
    expect(second.of('kernelStarted').map(({ total }) => total)).to.deep.equal(open === 0 ? [] : [open]);

    // When all has run, nothing runs again.
    const third = await resume(first.folder, 1).end();
    expect(third.events.map(({ kind }) => kind)).to.deep.equal(['folder', 'end']);
    expect((await readMatrix(first.folder)).kernels).to.deep.equal(whole.kernels);
  });

  it('loses one kernel to a worker that is killed, and no other', async () => {
    const [older, newer] = kernelsOfCache(2) as [MatrixKernel, MatrixKernel];
    const performed = begin([older, newer], 1);
    await performed.told('testEnded', newer.name);
    const started = descendantsOf(performed.process.pid ?? 0);
    const [worker] = started.filter(({ command }) => command.includes('worker.js'));
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    await performed.told('kernelStarted', older.name);
    await gone(started, 'guests of a worker that was killed');
    await performed.end();

    const results = await readMatrix(performed.folder);
    expect(results.matrix.kernels.map(({ failure }) => failure?.code)).to.deep.equal([undefined, 'WORKER_DIED']);
    expect(results.matrix.kernels[1]?.failure?.message).to.include('SIGKILL');
    // The records that it wrote count.
    expect(verdictsOf(results)).to.deep.equal({ [older.name]: ['passed', 'passed'], [newer.name]: ['passed'] });
    const [failed] = performed.of('kernelEnded');
    expect(failed).to.have.nested.property('failure.code', 'WORKER_DIED');
  });

  it('leaves no guest when it is killed, and all that had been performed', async () => {
    const [kernel] = kernelsOfCache(1) as [MatrixKernel];
    const killed = begin([kernel], 1);
    await killed.told('testEnded', kernel.name);
    const started = descendantsOf(killed.process.pid ?? 0);
    expect(started.some(({ command }) => command.includes('qemu-system'))).to.equal(true);
    killed.process.kill('SIGKILL');
    await gone(started, 'workers and guests of a matrix that was killed');

    const results = await readMatrix(killed.folder);
    expect(results.matrix).not.to.have.property('endedAt');
    expect(verdictsOf(results)[kernel.name]).to.include('passed');
    // Its worker ended the run properly.
    expect(results.kernels[0]?.runs[0]?.run).to.include({ interrupted: true }).and.to.have.property('endedAt');
  });

  async function gone(processes: ReturnType<typeof descendantsOf>, what: string): Promise<void> {
    const look = () => Promise.resolve(processes.some(isRunning) ? undefined : true);
    await poll(look, { what: `the end of ${what}`, deadline: 60_000 });
  }
});

describe('a matrix that cannot be performed', function cannot() {
  this.timeout(60_000);
  let out = '';
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-matrix-'))));
  afterEach(() => rmSync(out, { recursive: true, force: true }));
  const kernel = aKernel('6.12.117', { spec: '/none/bzImage' });

  it('is refused when another macvlab has planned it, and nothing is changed', async () => {
    const planned = someExperiments.map((each) => ({ ...each, key: `${each.key}-some-day` }));
    const folder = putMatrix(out, aMatrix({ kernels: [kernel], experiments: planned }), [aPerformance(kernel, [])]);
    const before = readFileSync(join(folder, 'matrix.json'), 'utf8');
    const { events } = await new MatrixProcess(folder, 1).end();
    expect(events.map(({ kind }) => kind)).to.deep.equal(['folder', 'end', 'error']);
    expect(events[2])
      .to.include({ code: 'USAGE' })
      .and.to.have.property('message')
      .that.includes('4 of the 4 experiments');
    expect(readFileSync(join(folder, 'matrix.json'), 'utf8')).to.equal(before);
    expect(readdirSync(folder).sort()).to.deep.equal(['kernels', 'matrix.json']);
  });

  it('is refused while another process performs it, unless that is gone', async () => {
    const folder = putMatrix(out, aMatrix({ kernels: [kernel] }), [aPerformance(kernel)]);
    const mark = join(folder, '.performing');
    const [own] = [{ machine: hostname(), ...identify(process.pid)! }];
    for (const [holder, words] of [
      [own, `is being performed by process ${process.pid}`],
      [{ ...own, machine: 'elsewhere' }, `is being performed by process ${process.pid} of elsewhere`],
    ] as const) {
      writeFileSync(mark, JSON.stringify(holder));
      const { events } = await new MatrixProcess(folder, 1).end();
      expect(events.at(-1)).to.include({ code: 'USAGE' }).and.to.have.property('message').that.includes(words);
    }
    for (const left of [JSON.stringify({ ...own, startTime: own.startTime + 1 }), '']) {
      writeFileSync(mark, left);
      const { events } = await new MatrixProcess(folder, 1).end();
      expect(events.map(({ kind }) => kind)).to.deep.equal(['folder', 'end']);
    }
    expect(readdirSync(folder)).to.not.include('.performing');
  });

  it('has a row of errors for each kernel that cannot even begin', async function () {
    needs(this, 'qemu-system-x86_64', 'mksquashfs', 'depmod', 'xz');
    const kernels = [kernel, aKernel('6.18.15', { spec: '/none/other' })];
    const begin = () => new MatrixProcess({ kernels, filters: ['A0.1'], out }, 1);
    const rows = await begin().end();
    const { matrix } = await readMatrix(rows.folder);
    expect(rows.of('kernelEnded').map(({ failure }) => failure?.code)).to.deep.equal([
      'KERNEL_UNKNOWN',
      'KERNEL_UNKNOWN',
    ]);
    expect(matrix.interrupted).to.equal(false);

    // Its runs have no folder: the matrix itself must report the failure.
    rmSync(slotFolder(rows.folder, kernel), { recursive: true });
    writeFileSync(slotFolder(rows.folder, kernel), '');
    const again = await new MatrixProcess(rows.folder, 1).end();
    expect(again.of('kernelEnded').map(({ failure }) => failure?.code)).to.deep.equal([
      'KERNEL_UNKNOWN',
      'OUT_NOT_WRITABLE',
    ]);
    const failures = (await readMatrix(rows.folder)).matrix.kernels.map(({ failure }) => failure?.code);
    expect(failures).to.deep.equal(['OUT_NOT_WRITABLE', undefined]);
  });

  it('ends in order when what has become of a kernel cannot be written', async () => {
    const first = aKernel('6.18.15', { spec: '/none/other' });
    const performed = new MatrixProcess({ kernels: [kernel, first], filters: ['A0.1'], out }, 1);
    await performed.told('kernelStarted', first.name);
    const { folder } = performed;
    // These block the next kernel's runs, and the temporary file that becomes matrix.json.
    mkdirSync(join(folder, 'kernels'), { recursive: true });
    writeFileSync(slotFolder(folder, kernel), '');
    mkdirSync(join(folder, `.matrix.json.${performed.process.pid}`));
    const { events } = await performed.end();
    expect(events.map(({ kind }) => kind)).to.deep.equal([
      'folder',
      ...['kernelStarted', 'kernelEnded', 'kernelStarted', 'kernelEnded'],
      ...['end', 'error'],
    ]);
    expect(events.at(-1)).to.include({ code: 'OUT_NOT_WRITABLE' });
  });
});
