/** Results of matrices, for unit tests. The defaults are those of a matrix in which all experiments passed. */
import type { FeatureRecord, RunRecord, RunResults, TestRecord } from '../run/record.js';
import type { ExperimentKey, KernelResults, MatrixKernel, MatrixRecord, MatrixResults } from './record.js';

/** Experiments like those of the suites: two with one id, one that observes a value, one that not every kernel can run. */
export const someExperiments: readonly ExperimentKey[] = [
  {
    key: 'a1-vepa-to-sibling',
    id: 'A1.3',
    title: 'two endpoints in vepa mode cannot ping each other',
    suite: 'A1 bridge, private and vepa on one node',
    file: 'suites/a1-modes.ts',
  },
  {
    key: 'x3-multicast-bridge-hairpin-on',
    id: 'X3.1',
    title: 'bridge, hairpin on, multicast from a child: reaches the sibling',
    suite: 'X what the articles leave open',
    file: 'suites/x-open-questions.ts',
  },
  {
    key: 'x3-multicast-vepa-hairpin-off',
    id: 'X3.1',
    title: 'vepa, hairpin off, multicast from a child: does not reach the sibling',
    suite: 'X what the articles leave open',
    file: 'suites/x-open-questions.ts',
  },
  {
    key: 'x4-source-listed-only',
    id: 'X4.1',
    title: 'source, frames from listed and unlisted MACs: only frames from listed MACs reach the child',
    suite: 'X what the articles leave open',
    file: 'suites/x-open-questions.ts',
  },
];

/** The name of the value that X3.1 observes in mode bridge with hairpin. */
export const copies = 'copies of a reflected multicast at a bridge sibling';

/** A kernel by its upstream version: "6.12.117" is the column "6.12". */
export function aKernel(version: string, given: Partial<MatrixKernel> = {}): MatrixKernel {
  const name = /^\d+\.\d+/.exec(version)?.[0] ?? version;
  const release = `${version}-cloud-amd64`;
  return { name, spec: release, version, release, origin: `Debian trixie, ${version}-1`, slot: name, ...given };
}

export function aMatrix(given: Partial<MatrixRecord> & Pick<MatrixRecord, 'kernels'>): MatrixRecord {
  return {
    schema: 2,
    id: '20261121-081500-4f2a',
    macvlab: '0.1.0',
    arguments: ['matrix'],
    machine: 'bench1',
    startedAt: '2026-11-21T08:15:00.000Z',
    endedAt: '2026-11-21T08:19:00.000Z',
    durationMs: 240_000,
    interrupted: false,
    filters: [],
    experiments: [...someExperiments],
    ...given,
  };
}

/** The record of an experiment that passed, by its position in someExperiments. */
export function aRecordOf(position: number, given: Partial<TestRecord> = {}): TestRecord {
  const experiment = someExperiments[position];
  if (!experiment) throw new RangeError(`there is no experiment ${position}`);
  const number = given.number ?? position + 1;
  const evidence = `evidence/${String(number).padStart(3, '0')}-${experiment.id.toLowerCase()}`;
  return {
    ...{ schema: 2, number, ...experiment, modes: ['bridge'], verdict: 'passed', observed: {} },
    ...{ lab: 'vm', kernel: '6.12.117-cloud-amd64', startedAt: `2026-11-21T08:15:0${position}.500Z` },
    ...{ durationMs: 34.4, assertions: 3, frames: 12 },
    evidence: [{ kind: 'pcap', file: `${evidence}/node1.pcap`, title: 'frames on node1' }],
    ...given,
  };
}

/** A feature that is supported. */
export function aFeature(given: Partial<FeatureRecord> = {}): FeatureRecord {
  return { name: 'hairpin', group: 'bridge port', state: 'supported', words: 'hairpin on', ...given };
}

/** A run in a kernel's slot. Its id follows from its number: later runs have later ids. */
export function aRunOf(
  kernel: MatrixKernel,
  records: TestRecord[],
  { nth = 1, ...given }: Partial<RunRecord> & { nth?: number } = {},
): RunResults {
  const id = `20261121-08150${nth}-4f2a`;
  const run: RunRecord = {
    ...{ schema: 1, id, macvlab: '0.1.0', arguments: ['matrix'], lab: 'vm', kernel: kernel.release, machine: 'bench1' },
    ...{ tools: { iproute2: '6.1.0' }, startedAt: `2026-11-21T08:15:0${nth}.000Z` },
    ...{ endedAt: `2026-11-21T08:16:0${nth}.000Z`, durationMs: 60_000, planned: records.length, interrupted: false },
    ...given,
  };
  return { folder: `/reports/matrix/kernels/${kernel.slot}/${id}`, run, records };
}

/** The results of a kernel in one run; by default all passed. */
export function aPerformance(
  kernel: MatrixKernel,
  records: TestRecord[] = someExperiments.map((_, position) => aRecordOf(position)),
  run: Partial<RunRecord> = {},
): KernelResults {
  return { kernel, runs: [aRunOf(kernel, records, run)] };
}

/** A matrix with these results. */
export function matrixOf(kernels: KernelResults[], matrix: Partial<MatrixRecord> = {}): MatrixResults {
  return {
    folder: '/reports/matrix',
    matrix: aMatrix({ kernels: kernels.map(({ kernel }) => kernel), ...matrix }),
    kernels,
  };
}

/** All of someExperiments passed, with these values of X3.1 in mode bridge with hairpin. */
export function observing(observed: TestRecord['observed'], given: Partial<TestRecord> = {}): TestRecord[] {
  return someExperiments.map((_, position) => aRecordOf(position, position === 1 ? { observed, ...given } : {}));
}
