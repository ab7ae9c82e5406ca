/** Runs that are ended at their steps, in machines as good as new, several at a time. */
import { MacvlabError } from '../core/error.js';
import type { Ending, Strike } from './world.js';
import { WorldProcess } from './world-process.js';

export interface EndsPlan {
  /** Arguments of `macvlab run`. */
  run: readonly string[];
  containers: boolean;
  /** Whether `macvlab gc` cleans up behind each run. */
  gc: boolean;
  /** Milliseconds in which all of a run must be gone. */
  settle?: number;
  /** Folder for the machines' own. */
  folder: string;
  /** Machines side by side. */
  jobs: number;
  /** Chooses what is struck, when it is known how many steps there are. */
  choose(steps: number): Strike[];
  /** No more runs are ended when it is aborted. */
  signal: AbortSignal;
  found(ending: Ending): void;
}

/**
 * Ends runs.
 * @returns the steps of a run that nobody ended
 * @throws MacvlabError LAB_OPEN when already that one does not pass, or leaves something
 */
export async function performEnds(plan: EndsPlan): Promise<string[]> {
  const { signal, jobs } = plan;
  const first = new WorldProcess(plan, 'world-1', true);
  const worlds = [first];
  try {
    const { steps, troubles } = await first.rehearsal();
    if (troubles.length > 0) {
      throw new MacvlabError('LAB_OPEN', 'a run that nobody ends does not end as it should', {
        evidence: troubles.join('\n'),
        next: 'see that this machine can carry the lab: macvlab doctor',
      });
    }
    const waiting = plan.choose(steps.length);
    while (worlds.length < Math.min(jobs, waiting.length))
      worlds.push(new WorldProcess(plan, `world-${worlds.length + 1}`, false));
    await Promise.all(
      worlds.map(async (world) => {
        for (let strike = waiting.shift(); strike && !signal.aborted; strike = waiting.shift())
          plan.found(await world.end(strike));
      }),
    );
    return steps;
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  } finally {
    await Promise.all(worlds.map((world) => world.close()));
  }
}
