/** A lab up and down, beside a bare script that makes and removes the same network. */
import { Lab } from '../harness/lab/lab.js';
import { sandboxDriver } from '../harness/lab/sandbox/sandbox.js';
import { type Figure, ratio } from './figure.js';
import { alternate, median } from './measure.js';
import { duration, print } from './print.js';
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

/** How many times as long a lab takes. */
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
