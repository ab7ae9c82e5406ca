/** A thousand macvlan children on one parent, compared with `ip -batch` in a namespace. */
import { Lab } from '../harness/lab/lab.js';
import { performLines } from '../harness/link/lines.js';
import { sandboxDriver } from '../harness/machine/sandbox/sandbox.js';
import { type Figure, ratio } from './figure.js';
import { alternate, median } from './measure.js';
import { duration, print } from './print.js';
import { runScript } from './script.js';

const count = 1000;
const rounds = 5;
/** The maximum time, divided by that of the script. */
const aim = 2;

/** The time of creating and deleting the children, divided by that of the script. */
export async function benchChildren(): Promise<Figure[]> {
  const lab = await Lab.open(sandboxDriver);
  try {
    const { stack, device } = lab.node1;
    const names = Array.from({ length: count }, (_, index) => `c${index + 1}`);
    const run = async (lines: readonly string[][]) => {
      const refused = (await performLines(stack, 'ip', lines)).find((complaint) => complaint !== undefined);
      if (refused !== undefined) throw new Error(refused);
    };
    const contenders = {
      lab: async () => {
        await run(
          names.map((name) => ['link', 'add', 'link', device, 'name', name, ...'type macvlan mode bridge'.split(' ')]),
        );
        await run(names.map((name) => ['link', 'delete', name]));
      },
      script: () => runScript('bare-children.sh', [String(count)]),
    };
    await alternate(1, contenders);
    const { lab: ours, script } = await alternate(rounds, contenders);
    const shown = [ours, script].map((times) => duration(median(times)));
    print(`children: ${count} created and deleted: ${shown[0]}, script ${shown[1]}; medians of ${rounds} rounds`);
    return [ratio(`${count} children on one parent: times bare ip -batch`, ours, script, { better: 'smaller', aim })];
  } finally {
    await lab.close();
  }
}
