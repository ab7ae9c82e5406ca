/** The kinds of test file, by the end of the file name: what each needs besides a processor, and how many may run at once. */
import { availableParallelism } from 'node:os';

/** A kind of test. The jobs of one lane compete for the same resource. */
export interface Lane {
  /** As in a file's name: `vm.guest.test.ts` is in the lane `guest`. */
  name: LaneName;
  /** How many of its jobs may run at once. */
  limit: number;
  /** Whether its jobs run only when no other job runs. These come last. */
  alone: boolean;
}

export type LaneName = 'guest' | 'engine' | 'hosts' | 'local' | 'alone';

/** The lanes in order of precedence: lanes with the longest waits begin first. */
export const lanes: readonly Lane[] = [
  // Boots QEMU guests: they need memory, and a processor each if they are emulated.
  { name: 'guest', limit: 1, alone: false },
  // Starts its own container engine.
  { name: 'engine', limit: 1, alone: false },
  // Reaches test hosts over SSH. Several tests of a file run side by side, and mostly wait.
  { name: 'hosts', limit: 1, alone: false },
  // All other tests. They need no more than a private sandbox.
  { name: 'local', limit: availableParallelism(), alone: false },
  // Asserts milliseconds, or compares the machine before and after.
  { name: 'alone', limit: 1, alone: true },
];

/** How many jobs may run at once in all lanes together. More would only wait for a processor, and miss their deadlines. */
export const mostJobs = availableParallelism() + 1;

const suffix = new RegExp(`\\.(${lanes.map(({ name }) => name).join('|')})\\.test\\.[cm]?[jt]s$`);

/** The lane of a test file. @param file its name or path */
export function laneOf(file: string): LaneName {
  return (suffix.exec(file)?.[1] ?? 'local') as LaneName;
}
