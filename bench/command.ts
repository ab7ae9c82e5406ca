/** The overhead of SSH for a command: `true` run in a sandbox's node, compared with `true` started here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Lab } from '../harness/lab/lab.js';
import { sandboxDriver } from '../harness/machine/sandbox/sandbox.js';
import { type Figure, ratio } from './figure.js';
import { alternate, median } from './measure.js';
import { duration, print } from './print.js';

const rounds = 200;
const warmUp = 20;

/** The time of a remote command, divided by that of a local one. */
export async function benchCommand(): Promise<Figure[]> {
  const lab = await Lab.open(sandboxDriver);
  try {
    const session = lab.machines.nodes.node1;
    const contenders = { remote: () => session.run(['true']), bare };
    await alternate(warmUp, contenders);
    const { remote, bare: spawned } = await alternate(rounds, contenders);
    print(
      `command: remote ${duration(median(remote))}, spawned ${duration(median(spawned))}; medians of ${rounds} rounds`,
    );
    return [ratio('a command over SSH: times a command started here', remote, spawned, { better: 'smaller' })];
  } finally {
    await lab.close();
  }
}

async function bare(): Promise<void> {
  await once(spawn('true'), 'close');
}
