/** Turns a lab's containers into machines: creates their files and namespaces, and the cables between them. */
import { type MachinePlace, threeMachines } from '../places.js';
import { cableLine, type ContainerCable } from './cables.js';
import type { Containers } from './connect.js';
import { setupScript } from './setup-script.js';
import { SetupShell } from './setup-shell.js';

/** @throws MacvlabError LAB_OPEN with a container's output; ENGINE_REFUSED when its image lacks programs */
export async function setUp({ lab, engine, keys, ids }: Containers, cables: readonly ContainerCable[]): Promise<void> {
  const shells = new Map<string, SetupShell>();
  const prepare = async ({ name, nodes, own }: MachinePlace) => {
    const shell = await SetupShell.open(engine, name, ids.get(name) ?? '');
    shells.set(name, shell);
    const namespaces = nodes.filter((node) => node !== own);
    const [, pid] = await shell.perform(setupScript({ lab, keys, namespaces }), /^ready (\d+)$/m);
    return [name, Number(pid)] as const;
  };
  try {
    const pids = new Map(await Promise.all(threeMachines.map(prepare)));
    const lines = cables.map((cable) => cableLine(cable, pids.get(cable.to) ?? 0));
    const [home] = threeMachines;
    await shells.get(home.name)?.perform(`ip -batch - <<'END'\n${lines.join('\n')}\nEND\necho wired\n`, /^wired$/m);
  } finally {
    for (const shell of shells.values()) shell.close();
  }
}
