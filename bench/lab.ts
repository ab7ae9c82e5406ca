/** A lab up and down, beside a bare script that makes and removes the same network. */
import { Lab } from '../harness/lab/lab.js';
import { sandboxDriver } from '../harness/lab/sandbox/sandbox.js';
import { alternate, median } from './measure.js';
import { aimed, duration, print } from './print.js';
import { runScript } from './script.js';

const rounds = 15;
/** How many times as long as the script a lab may take. */
const aim = 3;

const contenders = {
  lab: async () => (await Lab.open(sandboxDriver)).close(),
  script: () => runScript('bare-lab.sh'),
  listening: async () => {
    const lab = await Lab.open(sandboxDriver);
    await lab.listen();
    await lab.close();
  },
};

/** Prints how many times as long a lab takes. */
export async function benchLab(): Promise<void> {
  await alternate(1, contenders);
  const times = await alternate(rounds, contenders);
  const [lab, script, listening] = [median(times.lab), median(times.script), median(times.listening)];
  const ratio = lab / script;
  print(`lab: up and down in ${ratio.toFixed(1)} times as long as the bare script ${aimed(`${aim}`, ratio <= aim)}`);
  print(`  lab ${duration(lab)}, script ${duration(script)}; medians of ${rounds} rounds, turn by turn`);
  print(`  listening on every uplink and port: ${duration(listening)}, ${(listening / script).toFixed(1)} times`);
}
