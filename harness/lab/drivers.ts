/** Which lab drivers there are. Each is loaded only when it is asked for. */
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import type { LabDriver, Machines } from './driver.js';
import type { KeptLab } from './kept.js';
import { type NodeName, nodeNames } from './topology.js';

interface DriverEntry {
  load(): Promise<LabDriver>;
  /** Sessions with these nodes of a lab that was kept; closing them leaves the lab running. */
  attach(state: unknown, nodes: readonly NodeName[]): Promise<Machines>;
}

const keyPair = z.object({ private: z.string(), public: z.string() });
const sandboxState = z.object({ init: z.number(), keys: z.object({ host: keyPair, user: keyPair }) });

const drivers: Record<string, DriverEntry> = {
  sandbox: {
    load: async () => (await import('./sandbox/sandbox.js')).sandboxDriver,
    attach: async (state, nodes) => {
      const { attachSandbox } = await import('./sandbox/sandbox.js');
      const sessions = await attachSandbox(sandboxState.parse(state), nodes);
      const close = () => {
        for (const session of [sessions.machine, ...Object.values(sessions.nodes)]) session.close();
        return Promise.resolve();
      };
      return { ...sessions, close };
    },
  },
};

/** Names of the drivers, in the order in which help shows them. */
export const driverNames: readonly string[] = Object.keys(drivers);

/** The driver of a name. @throws MacvlabError USAGE naming those that there are */
export async function loadDriver(name: string): Promise<LabDriver> {
  return entryOf(name).load();
}

/**
 * Opens sessions with a kept lab, by default with all its nodes.
 * @throws MacvlabError REMOTE_CONNECT when it is gone
 */
export async function attachKept(kept: KeptLab, nodes: readonly NodeName[] = nodeNames): Promise<Machines> {
  return entryOf(kept.driver).attach(kept.state, nodes);
}

function entryOf(name: string): DriverEntry {
  const entry = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  if (entry) return entry;
  throw new MacvlabError('USAGE', `there is no lab "${name}"`, { next: `choose one of: ${driverNames.join(', ')}` });
}
