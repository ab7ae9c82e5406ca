/** Containers that killed runs have left. */
import { z } from 'zod';
import { patience, poll } from '../../core/wait.js';
import { listKept } from '../kept.js';
import { removeContainer, listContainers, type ListedContainer } from './containers.js';
import { Engine } from './engine.js';
import { findEngine } from './engine-address.js';
import { isOrphan, labLabel } from './labels.js';

const stateWithLab = z.looseObject({ lab: z.string() });

/** Containers of labs that nobody has any more. @param deadline milliseconds for the engine to answer */
async function findLeftovers(engine: Engine, deadline?: number): Promise<ListedContainer[]> {
  const orphans = (await listContainers(engine, labLabel, deadline)).filter(isOrphan);
  // States are read after that: a lab's state is written before its maker ends.
  const kept = orphans.length === 0 ? [] : listKept().filter(({ alive }) => alive);
  const labs = new Set(kept.map(({ state }) => stateWithLab.safeParse(state).data?.lab));
  return orphans.filter(({ labels }) => !labs.has(labels[labLabel]));
}

/** Removes containers of labs that nobody has any more, and returns them. */
export async function removeLeftovers(engine: Engine, deadline?: number): Promise<ListedContainer[]> {
  const left = await findLeftovers(engine, deadline);
  await Promise.all(left.map(({ id }) => removeContainer(engine, id)));
  return left;
}

/** Milliseconds for an engine to say what containers it has; one that is there answers at once. */
const askedInPassing = 5000;

/**
 * What killed runs have left on this machine's engine, removed unless it is only to be looked for; nothing where there is no engine.
 * @throws MacvlabError ENGINE_MISSING, ENGINE_REFUSED, WAIT_DEADLINE where there is one, and it does not answer
 */
export async function clearAway({ dryRun }: { dryRun: boolean }): Promise<ListedContainer[]> {
  const address = findEngine();
  if (!address) return [];
  const engine = new Engine(address);
  return dryRun ? findLeftovers(engine, askedInPassing) : removeLeftovers(engine, askedInPassing);
}

/** Milliseconds in which what runs in containers ends by itself, and the engine removes them. */
const endsWithin = 10_000;

/**
 * Waits until all containers of a lab are gone, which they are soon after its lifeline has ended; those that never ran are
 * removed at once, and in the end those that remain.
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
    await poll(ended, { what, deadline: patience(endsWithin) });
  } catch {
    await remove(await remaining());
    await poll(ended, { what, deadline: patience(endsWithin) });
  }
}
