/** The labs of one kernel's run: guests of that kernel, in the process of that run. */
import { loadDriver } from '../../machine/drivers.js';
import type { Setting } from '../../run/apart.js';

/** The values of `--kernel` and `--modules`. */
export interface GuestKernel {
  kernel: string;
  modules?: string;
}

/** Guests of a kernel; each holds all nodes. */
export async function setting({ kernel, modules }: GuestKernel, remark: (line: string) => void): Promise<Setting> {
  const options = { kernel, ...(modules !== undefined && { modules }), guests: 1 as const, remark };
  return { drivers: [await loadDriver('vm', options)] };
}
