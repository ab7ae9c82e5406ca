/** Containers that are leftovers of killed runs. */
import { z } from 'zod';
import { timeout, poll } from '../../core/wait.js';
import { listDetached } from '../detached/detached-labs.js';
import { removeContainer, listContainers, type ListedContainer } from './containers.js';
import { Engine } from './engine.js';
import { findEngine } from './engine-address.js';
import { isOrphan, labLabel } from './labels.js';

const stateWithLab = z.looseObject({ lab: z.string() });

/** Containers of labs without a process. @param deadline milliseconds for the engine to respond */
async function findLeftovers(engine: Engine, deadline?: number): Promise<ListedContainer[]> {
  const orphans = (await listContainers(engine, labLabel, deadline)).filter(isOrphan);
  // States are read after the containers: a lab's state is written before the process that created the lab ends.
  const kept = orphans.length === 0 ? [] : listDetached().filter(({ alive }) => alive);
  const labs = new Set(kept.map(({ state }) => stateWithLab.safeParse(state).data?.lab));
  return orphans.filter(({ labels }) => !labs.has(labels[labLabel]));
}

/** Removes containers of labs without a process, and returns them. */
export async function removeLeftovers(engine: Engine, deadline?: number): Promise<ListedContainer[]> {
  const left = await findLeftovers(engine, deadline);
  await Promise.all(left.map(({ id }) => removeContainer(engine, id)));
  return left;
}

/** Milliseconds for an engine to list its containers; a running engine responds at once. */
const askedInPassing = 5000;

/**
 * Finds the leftovers of killed runs on this machine's engine, and removes them unless `dryRun` is set. Finds nothing
 * if there is no engine.
 * @throws MacvlabError ENGINE_MISSING, ENGINE_REFUSED, WAIT_DEADLINE when there is one, and it does not respond
 */
export async function clearAway({ dryRun }: { dryRun: boolean }): Promise<ListedContainer[]> {
  const address = findEngine();
  if (!address) return [];
  const engine = new Engine(address);
  return dryRun ? findLeftovers(engine, askedInPassing) : removeLeftovers(engine, askedInPassing);
}

/** Milliseconds for the processes in containers to end by themselves, and for the engine to remove the containers. */
const endsWithin = 10_000;

/**
 * Waits until all containers of a lab are gone, which is soon after its tether has ended. Removes containers that never
 * ran at once, and those that remain after the deadline.
 */
export async function removeLab(engine: Engine, lab: string): Promise<void> {
  const remaining = async () => listContainers(engine, `${labLabel}=${lab}`);
  const remove = async (containers: readonly ListedContainer[]) =>
    Promise.all(containers.map(({ id }) => removeContainer(engine, id)));
  const ended = async () => {
    const left = await remaining();
    await remove(left.filter(({ state }) => state === 'created'));
    return left.length === 0 || undefined;
  };
  const what = `the containers of lab ${lab} to be gone`;
  try {
    await poll(ended, { what, deadline: timeout(endsWithin) });
  } catch {
    await remove(await remaining());
    await poll(ended, { what, deadline: timeout(endsWithin) });
  }
}
