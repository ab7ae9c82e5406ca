/** The labs of one run of a soak: sandboxes whose waits are recorded. The process of that run loads this module. */
import { noteWaits } from '../../core/wait.js';
import { loadDriver } from '../../machine/drivers.js';
import type { Setting } from '../../run/apart.js';
import { Waits } from './waits.js';

/** Sandboxes. The notes are the slowest waits of the run. */
export async function setting(): Promise<Setting> {
  const waits = new Waits();
  noteWaits((note) => waits.add(note));
  return { drivers: [await loadDriver('sandbox', {})], notes: () => waits.slowest() };
}
