/** Which lab drivers there are. Each is loaded only when it is asked for. */
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import type { LabDriver, Machines } from './driver.js';
import { endKept, type KeptLab } from './kept.js';
import { type GuestCount, guestCounts } from './vm/shapes.js';
import { type NodeName, nodeNames } from './topology.js';

/** What can be chosen about a lab. */
export interface LabOptions {
  /** For a lab whose kernel can be chosen: a version, a release, a suite, or the path of one's own kernel. */
  kernel?: string;
  /** Folder with the modules of one's own kernel. */
  modules?: string;
  /** How many guests the nodes are spread over. */
  guests?: GuestCount;
  /** For containers: an image of one's own. */
  image?: string;
  /** For containers: whether they may do all that their engine may. */
  privileged?: boolean;
  /** For real hosts: the file that names them. */
  inventory?: string;
  /** For real hosts: whether experiments may cut the connection over which one is reached. */
  allowCut?: boolean;
  /** Whether the lab may have to be kept. */
  mayBeKept?: boolean;
  /** Told what takes time before a lab stands. */
  remark?: (line: string) => void;
}

interface DriverEntry {
  load(options: LabOptions): Promise<LabDriver>;
  /** Sessions with these nodes of a lab that was kept; closing them leaves the lab running. */
  attach(state: unknown, nodes: readonly NodeName[]): Promise<Machines>;
  /** Waits until a kept lab whose keeper has ended is gone, where it does not go with its processes. */
  end?(state: unknown): Promise<void>;
}

const keyPair = z.object({ private: z.string(), public: z.string() });
const keys = z.object({ host: keyPair, user: keyPair });
const sandboxState = z.object({ init: z.number(), keys });
const guests = z.union(guestCounts.map((count) => z.literal(count)));
/** As usual, where macvlab did not note it yet when the lab was kept. */
const slowness = z.number().default(1);
const vmState = z.object({ init: z.number(), folder: z.string(), guests, keys, slowness });
const engine = z.object({ host: z.string(), origin: z.string(), certificates: z.string().exactOptional() });
const containerState = z.object({ lab: z.string(), engine, containers: z.record(z.string(), z.string()), keys });

const vagrantState = z.object({
  folder: z.string(),
  keys,
  slowness,
  inits: z.record(z.string(), z.number()),
  made: z.boolean(),
  environment: z.record(z.string(), z.string()),
});

/** Sessions with a kept lab, whose closing leaves it running. */
function closable(sessions: Pick<Machines, 'machine' | 'nodes' | 'ssh'>): Machines {
  const close = () => {
    for (const session of [sessions.machine, ...Object.values(sessions.nodes)]) session.close();
    return Promise.resolve();
  };
  return { ...sessions, close };
}

const drivers: Record<string, DriverEntry> = {
  sandbox: {
    load: async (options) => {
      if (isForGuests(options)) throw kernelIsGiven('sandbox');
      if (isForContainers(options)) throw noContainers('sandbox');
      return (await import('./sandbox/sandbox.js')).sandboxDriver;
    },
    attach: async (state, nodes) => {
      const { attachSandbox } = await import('./sandbox/sandbox.js');
      return closable(await attachSandbox(sandboxState.parse(state), nodes));
    },
  },
  vm: {
    load: async (options) => {
      if (isForContainers(options)) throw noContainers('vm');
      const { guests = 3, mayBeKept = false, ...rest } = options;
      return (await import('./vm/vm.js')).vmDriver({ ...rest, guests, mayOutlive: mayBeKept });
    },
    attach: async (state, nodes) => {
      const { attachVm } = await import('./vm/attach.js');
      return closable(await attachVm(vmState.parse(state), nodes));
    },
  },
  container: {
    load: async (options) => {
      if (isForGuests(options)) throw kernelIsGiven('container');
      const { mayBeKept = false, ...rest } = options;
      return (await import('./container/container.js')).containerDriver({ ...rest, mayOutlive: mayBeKept });
    },
    attach: async (state, nodes) => {
      const { attachContainer } = await import('./container/attach.js');
      return closable(await attachContainer(containerState.parse(state), nodes));
    },
    end: async (state) => {
      const { endContainer } = await import('./container/attach.js');
      await endContainer(containerState.parse(state));
    },
  },
  vagrant: {
    load: async (options) => {
      if (isForContainers(options)) throw noContainers('vagrant');
      const { guests, mayBeKept = false, ...rest } = options;
      if (guests !== undefined) throw machinesAreThree();
      const [{ vagrantDriver }, { machineBoot, knownAcceleration }] = await Promise.all([
        import('./vagrant/vagrant.js'),
        import('./vm/machine-boot.js'),
      ]);
      return vagrantDriver({
        ...rest,
        mayOutlive: mayBeKept,
        guests: { boot: machineBoot, known: knownAcceleration },
      });
    },
    attach: async (state, nodes) => {
      const { attachVagrant } = await import('./vagrant/attach.js');
      return closable(await attachVagrant(vagrantState.parse(state), nodes));
    },
    end: async (state) => {
      const { endVagrant } = await import('./vagrant/attach.js');
      await endVagrant(vagrantState.parse(state));
    },
  },
  inventory: {
    load: async (options) => {
      if (isForGuests(options)) throw kernelIsGiven('inventory');
      if (isForContainers(options)) throw noContainers('inventory');
      if (options.mayBeKept) throw notKept();
      const { inventoryDriver } = await import('./inventory/inventory.js');
      const { inventory: file, allowCut, remark } = options;
      return inventoryDriver({
        ...(file !== undefined && { file }),
        ...(allowCut !== undefined && { allowCut }),
        ...(remark && { remark }),
      });
    },
    attach: () => Promise.reject(notKept()),
  },
};

/** Names of the drivers, in the order in which help shows them. */
export const driverNames: readonly string[] = Object.keys(drivers);

/** The labs that `auto` stands for, the cheapest first. */
const automatic = ['sandbox', 'vm'];

/** What a run may be told to use: a driver, or whichever is the cheapest that can carry a suite. */
export const labNames: readonly string[] = ['auto', ...driverNames];

/**
 * The drivers that a lab's name stands for, the cheapest first. Where a kernel is chosen, or a number of guests, only labs
 * with guests are meant, only containers where an image is, and only real hosts where an inventory is.
 * @throws MacvlabError as {@link loadDriver}
 */
export async function loadDrivers(name: string, options: LabOptions = {}): Promise<LabDriver[]> {
  if (name !== 'auto') return [await loadDriver(name, options)];
  if (isForGuests(options)) return [await loadDriver('vm', options)];
  if (isForContainers(options)) return [await loadDriver('container', options)];
  if (isForHosts(options)) return [await loadDriver('inventory', options)];
  return Promise.all(automatic.map((each) => loadDriver(each, each === 'vm' ? { ...options, guests: 1 } : options)));
}

/** The driver of a name. @throws MacvlabError USAGE naming those that there are, or an option that it has no use for */
export async function loadDriver(name: string, options: LabOptions = {}): Promise<LabDriver> {
  const entry = entryOf(name);
  if (name !== 'inventory' && isForHosts(options)) throw noHosts(name);
  return entry.load(options);
}

/**
 * Opens sessions with a kept lab, by default with all its nodes.
 * @throws MacvlabError REMOTE_CONNECT when it is gone
 */
export async function attachKept(kept: KeptLab, nodes: readonly NodeName[] = nodeNames): Promise<Machines> {
  return entryOf(kept.driver).attach(kept.state, nodes);
}

/**
 * Ends a kept lab, and waits until it is gone.
 * @throws MacvlabError as {@link endKept}; ENGINE_MISSING, ENGINE_REFUSED when its engine does not remove it
 */
export async function endLab(kept: KeptLab): Promise<void> {
  await endKept(kept);
  await entryOf(kept.driver).end?.(kept.state);
}

function isForGuests({ kernel, modules, guests }: LabOptions): boolean {
  return (kernel ?? modules ?? guests) !== undefined;
}

function isForContainers({ image, privileged }: LabOptions): boolean {
  return image !== undefined || privileged === true;
}

function isForHosts({ inventory, allowCut }: LabOptions): boolean {
  return inventory !== undefined || allowCut === true;
}

function noHosts(lab: string): MacvlabError {
  return new MacvlabError('USAGE', `the ${lab} lab has no hosts of an inventory, and no connection with any to cut`, {
    next: 'choose the lab that has: --lab inventory',
  });
}

function noContainers(lab: string): MacvlabError {
  return new MacvlabError('USAGE', `the ${lab} lab has no containers: no image can be chosen, and no privileges`, {
    next: 'choose the lab that has: --lab container',
  });
}

function machinesAreThree(): MacvlabError {
  return new MacvlabError('USAGE', 'the vagrant lab has three machines: no number of guests can be chosen', {
    next: 'leave --guests out, or choose the lab that has them: --lab vm',
  });
}

function kernelIsGiven(lab: string): MacvlabError {
  const whose = lab === 'inventory' ? 'its hosts’ kernels' : 'the running kernel';
  return new MacvlabError('USAGE', `the ${lab} lab uses ${whose}: no other can be chosen, and no guests`, {
    next: 'choose a lab with guests: --lab vm',
  });
}

function notKept(): MacvlabError {
  return new MacvlabError('USAGE', 'a lab on hosts of an inventory cannot be left running: it lives by this process', {
    next: 'leave --keep out; or use a lab on this machine, which can: macvlab lab up',
  });
}

function entryOf(name: string): DriverEntry {
  const entry = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  if (entry) return entry;
  throw new MacvlabError('USAGE', `there is no lab "${name}"`, { next: `choose one of: ${driverNames.join(', ')}` });
}
