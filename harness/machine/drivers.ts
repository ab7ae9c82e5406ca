/** The table of lab drivers. Each is loaded only when it is used. */
import { MacvlabError } from '../core/error.js';
import { endDetached, type DetachedLab } from './detached/detached-labs.js';
import { type LabDriver, noClocks, noKernelLog, type OwnMachines } from './driver.js';
import type { Attached, DetachedUse, DriverModule } from './driver-module.js';
import { labOfOptions, type LabOptions, refuseOthersOptions } from './options.js';
import { type NodeName, nodeNames } from './topology.js';

const modules: Record<string, () => Promise<{ driver: DriverModule }>> = {
  sandbox: () => import('./sandbox/index.js'),
  vm: () => import('./vm/index.js'),
  container: () => import('./container/index.js'),
  vagrant: () => import('./vagrant/index.js'),
  inventory: () => import('./inventory/index.js'),
};

/** Names of the drivers, in the order in which help shows them. */
export const driverNames: readonly string[] = Object.keys(modules);

/** The drivers among which `auto` selects, the cheapest first. */
const automatic = ['sandbox', 'vm'];

/** Names of labs that a run can use: a driver, or `auto` for the cheapest driver that can run a suite. */
export const labNames: readonly string[] = ['auto', ...driverNames];

/** A driver's module. @throws MacvlabError USAGE with the names of all drivers */
export async function driverModule(name: string): Promise<DriverModule> {
  const load = Object.hasOwn(modules, name) ? modules[name] : undefined;
  if (load) return (await load()).driver;
  throw new MacvlabError('USAGE', `there is no lab "${name}"`, { next: `choose one of: ${driverNames.join(', ')}` });
}

/**
 * The drivers for the name of a lab, the cheapest first. With `auto`, an option that only some labs have selects the
 * first of these labs.
 * @throws MacvlabError as {@link loadDriver}
 */
export async function loadDrivers(name: string, options: LabOptions = {}): Promise<LabDriver[]> {
  const only = name === 'auto' ? labOfOptions(options) : name;
  if (only !== undefined) return [await loadDriver(only, options)];
  return Promise.all(automatic.map((each) => loadDriver(each, each === 'vm' ? { ...options, guests: 1 } : options)));
}

/** The driver with a name. @throws MacvlabError USAGE if there is none, or if it does not have one of the options */
export async function loadDriver(name: string, options: LabOptions = {}): Promise<LabDriver> {
  const module = await driverModule(name);
  refuseOthersOptions(name, options);
  if (options.mayBeDetached && !module.detached) throw notDetachable();
  return module.load(options);
}

/**
 * Opens sessions with a detached lab, by default with all its nodes. Closing them leaves the lab running.
 * @throws MacvlabError REMOTE_CONNECT when the lab is gone
 */
export async function attachDetached(kept: DetachedLab, nodes: readonly NodeName[] = nodeNames): Promise<OwnMachines> {
  const use = await detachedUse(kept);
  const detachable = { state: kept.state, detach: () => Promise.resolve(kept.keeper.pid) };
  return { ...machinesOf(await use.attach(use.state.parse(kept.state), nodes)), detachable };
}

/** A driver whose only lab runs already. Closing the lab leaves it running. */
export function attachedDriver(kept: DetachedLab): LabDriver {
  return { name: kept.driver, labs: 1, check: () => Promise.resolve([]), open: () => attachDetached(kept) };
}

/**
 * Ends a detached lab, and waits until it is gone.
 * @throws MacvlabError as {@link endDetached}; ENGINE_MISSING, ENGINE_REFUSED when the container engine does not remove
 * it
 */
export async function endLab(kept: DetachedLab): Promise<void> {
  await endDetached(kept);
  const use = await detachedUse(kept);
  await use.end?.(use.state.parse(kept.state));
}

async function detachedUse({ driver }: DetachedLab): Promise<DetachedUse> {
  const { detached } = await driverModule(driver);
  if (!detached) throw notDetachable();
  return detached;
}

function machinesOf(sessions: Attached): OwnMachines {
  const close = () => {
    for (const session of [sessions.machine, ...Object.values(sessions.nodes)]) session.close();
    return Promise.resolve();
  };
  return { ...sessions, ...noClocks, kernelLog: noKernelLog, close };
}

function notDetachable(): MacvlabError {
  return new MacvlabError('USAGE', 'a lab on hosts of an inventory cannot be left running: it lives by this process', {
    next: 'leave --keep out; or use a lab on this machine, which can: macvlab lab up',
  });
}
