/** What a test file needs beside a processor, by the end of its name, and how many of a kind may run at once. */
import { availableParallelism } from 'node:os';

/** A kind of test. Jobs of one lane compete for the same thing. */
export interface Lane {
  /** As in a file's name: `vm.guest.test.ts` is in the lane `guest`. */
  name: LaneName;
  /** How many of its jobs may run at once. */
  limit: number;
  /** Whether its jobs run when nothing else does. These come last. */
  alone: boolean;
}

export type LaneName = 'guest' | 'engine' | 'hosts' | 'local' | 'alone';

/** The lanes in order of precedence: those with the longest waits begin first. */
export const lanes: readonly Lane[] = [
  // boots QEMU guests: memory, and a processor each where they are emulated
  { name: 'guest', limit: 1, alone: false },
  // starts a container engine of its own
  { name: 'engine', limit: 1, alone: false },
  // reaches test hosts over SSH; several tests of a file run side by side, and mostly wait
  { name: 'hosts', limit: 1, alone: false },
  // everything else: no more than a sandbox of its own
  { name: 'local', limit: availableParallelism(), alone: false },
  // asserts milliseconds, or compares the machine before and after
  { name: 'alone', limit: 1, alone: true },
];

/** How many jobs may run at once in all lanes together: more only wait for a processor, and miss their deadlines. */
export const mostJobs = availableParallelism() + 1;

const suffix = new RegExp(`\\.(${lanes.map(({ name }) => name).join('|')})\\.test\\.[cm]?[jt]s$`);

/** The lane of a test file. @param file its name or path */
export function laneOf(file: string): LaneName {
  return (suffix.exec(file)?.[1] ?? 'local') as LaneName;
}
