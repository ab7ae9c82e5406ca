/** The creation and removal of a lab, compared with a minimal script that creates and removes the same network. */
import { Lab } from '../harness/lab/lab.js';
import { sandboxDriver } from '../harness/machine/sandbox/sandbox.js';
import { type Figure, ratio } from './figure.js';
import { alternate, median } from './measure.js';
import { duration, print } from './print.js';
import { runScript } from './script.js';

const rounds = 15;
/** The maximum time of a lab, divided by that of the script. */
const aim = 2;

const contenders = {
  lab: async () => (await Lab.open(sandboxDriver)).close(),
  script: () => runScript('bare-lab.sh'),
  listening: async () => {
    const lab = await Lab.open(sandboxDriver);
    await lab.listening.start();
    await lab.close();
  },
};

/** The time of a lab, divided by that of the script. */
export async function benchLab(): Promise<Figure[]> {
  await alternate(1, contenders);
  const { lab, script, listening } = await alternate(rounds, contenders);
  const shown = [lab, script, listening].map((times) => duration(median(times)));
  print(
    `lab: ${shown[0]}, script ${shown[1]}, listening on every parent and port ${shown[2]}; medians of ${rounds} rounds`,
  );
  return [
    ratio('lab up and down: times a bare script', lab, script, { better: 'smaller', aim }),
    ratio('lab up, listening, and down: times a bare script', listening, script, { better: 'smaller' }),
  ];
}
