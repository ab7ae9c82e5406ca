/** What SSH adds to a command: `true` run in a sandbox's node, beside `true` spawned here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Lab } from '../harness/lab/lab.js';
import { sandboxDriver } from '../harness/lab/sandbox/sandbox.js';
import { alternate, median } from './measure.js';
import { aimed, duration, print } from './print.js';

const rounds = 200;
const warmUp = 20;
/** Milliseconds that a remote command may take longer. */
const aim = 5;

/** Prints how much longer a remote command takes. */
export async function benchCommand(): Promise<void> {
  const lab = await Lab.open(sandboxDriver);
  try {
    const session = lab.machines.nodes.node1;
    const contenders = { remote: () => session.run(['true']), bare };
    await alternate(warmUp, contenders);
    const { remote, bare: spawned } = await alternate(rounds, contenders);
    const more = median(remote) - median(spawned);
    print(`command: ${more.toFixed(1)} ms more over SSH ${aimed(`at most ${aim} ms`, more <= aim)}`);
    print(
      `  remote ${duration(median(remote))}, spawned ${duration(median(spawned))}; medians of ${rounds} rounds, turn by turn`,
    );
  } finally {
    await lab.close();
  }
}

async function bare(): Promise<void> {
  await once(spawn('true'), 'close');
}
