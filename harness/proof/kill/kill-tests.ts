/** Ends runs at their steps in scratch machines, several at a time. */
import { MacvlabError } from '../../core/error.js';
import type { KillPlan } from './scratch-machine.js';
import { ScratchMachineProcess } from './scratch-machine-process.js';

/**
 * Ends runs.
 * @returns the steps of an uninterrupted run
 * @throws MacvlabError LAB_OPEN if the uninterrupted run does not pass, or leaves something
 */
export async function runKillTests(plan: KillPlan): Promise<string[]> {
  const { signal, jobs } = plan;
  const first = new ScratchMachineProcess(plan, 'machine-1', true);
  const machines = [first];
  try {
    const { steps, troubles } = await first.rehearsal();
    if (troubles.length > 0) {
      throw new MacvlabError('LAB_OPEN', 'an uninterrupted run does not end as it should', {
        evidence: troubles.join('\n'),
        next: 'see that this machine can carry the lab: macvlab doctor',
      });
    }
    const waiting = plan.choose(steps.length);
    while (machines.length < Math.min(jobs, waiting.length))
      machines.push(new ScratchMachineProcess(plan, `machine-${machines.length + 1}`, false));
    await Promise.all(
      machines.map(async (machine) => {
        for (let kill = waiting.shift(); kill && !signal.aborted; kill = waiting.shift())
          plan.found(await machine.end(kill));
      }),
    );
    return steps;
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  } finally {
    await Promise.all(machines.map((machine) => machine.close()));
  }
}
