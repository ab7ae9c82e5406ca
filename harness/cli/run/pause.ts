/** `run --pause-on-failure`: stops before a failed experiment's changes are reverted, and prints what to type. */
import { once } from 'node:events';

import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { messageOf } from '../../core/error.js';
import { withdrawDetached, writeDetached } from '../../machine/detached/detached-labs.js';
import { failureBlock } from '../../report/run/terminal.js';
import type { PausedExperiment } from '../../run/plan.js';
import { wantsColour } from '../output.js';

/**
 * The pauses of a run. Labs that run side by side pause one after the other.
 * @param print prints lines above the run's progress
 * @param input a line from it ends a pause
 */
export function pauses(
  print: (line: string) => void,
  input: Readable = process.stdin,
): (paused: PausedExperiment) => Promise<void> {
  let previous = Promise.resolve();
  let count = 0;
  return async (paused) => {
    const before = previous;
    const own = before.then(() => pauseAt(paused, `${basename(paused.folder)}-paused-${++count}`, print, input));
    previous = own.catch(() => undefined);
    await own;
  };
}

/** Shows a failure, and waits for Enter, or for the end of the lab or of the run. */
async function pauseAt(
  { lab, record, folder, signal }: PausedExperiment,
  name: string,
  print: (line: string) => void,
  input: Readable,
): Promise<void> {
  if (signal.aborted) return;
  const lines = failureBlock(folder, record, wantsColour(process.stdout)).split('\n');
  const { hosts } = lab.machines.external ?? {};
  const shared = hosts ? undefined : await lab.share().then((state) => writeDetached({ ...state, name }));
  const ways = hosts
    ? Object.entries(hosts).map(([node, address]) => `  ssh ${address}   # ${node}`)
    : ['shell', 'capture'].map((command) => `  macvlab lab ${command} node1 --name ${name}`);
  for (const line of [
    '',
    ...lines,
    '',
    'paused: the lab is as this experiment left it. In another terminal:',
    ...ways,
    'Enter reverts the changes and continues; Ctrl-C ends the run.',
  ])
    print(line);
  const keys = createInterface({ input });
  try {
    await once(keys, 'line', { signal });
  } catch {
    print(`the pause ends: ${messageOf(signal.reason)}`);
  } finally {
    keys.close();
    if (shared) withdrawDetached(shared);
  }
}
