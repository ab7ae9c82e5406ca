/** Plans of jobs, for unit tests. */
import { aKernel, aMatrix } from '../matrix.test-support.js';
import type { MatrixKernel, MatrixRecord } from '../record.js';
import { planJobs } from './job-plan.js';

export const [old, middle] = ['6.1.192', '6.12.117'].map((version) => aKernel(version, { spec: `${version}-1` })) as [
  MatrixKernel,
  MatrixKernel,
];
export const folder = '/home/me/checkout';

/** A user's own kernel, as choose-kernels.ts makes it. */
export const own = (name: string, spec: string): MatrixKernel =>
  aKernel('6.9.0', { name, spec, slot: 'own', release: '6.9.0-mine' });

export const plan = (given: Partial<MatrixRecord> = {}, shards?: number) =>
  planJobs(aMatrix({ kernels: [old, middle], ...given }), { folder, shards });

/** A plan with this number of kernels. */
export function many(count: number) {
  return plan({ kernels: Array.from({ length: count }, (_, position) => aKernel(`6.${position}.0`)) });
}
