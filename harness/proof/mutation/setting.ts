/** The labs of a run with a fault, or of the same run without one. The process of that run loads this module. */
import { loadDriver } from '../../machine/drivers.js';
import type { Setting } from '../../run/apart.js';
import { loadCatalogue, matches } from '../../run/suite/catalogue.js';
import type { Fault } from './fault.js';
import { withFault } from './faulty-driver.js';
import { FaultInjector } from './fault-injector.js';

export interface MutationJob {
  /** URL of the module whose export `faults` contains the fault. */
  module: string;
  /** The id of the fault. For a run without a fault, the filters of the experiments; filters that match nothing are left out. */
  id: string | readonly string[];
  lab: 'sandbox' | 'vm';
  /** Folder in which the run creates its own folder. */
  out: string;
}

/** The result of the injections. */
export interface InjectionNotes {
  /** Why the fault could not be made. */
  trouble?: string;
  /** The ways of the injections that never took effect. */
  pending: string[];
}

/** One faulty lab. The notes are {@link InjectionNotes}. */
export async function setting({ module, id, lab, out }: MutationJob): Promise<Setting> {
  const fault = typeof id === 'string' ? await faultOf(module, id) : { injections: [], experiments: await known(id) };
  const injector = new FaultInjector(fault, out);
  const driver = withFault(await loadDriver(lab, lab === 'vm' ? { guests: 1 } : {}), injector);
  return {
    drivers: [driver],
    filters: fault.experiments,
    notes: (): InjectionNotes => ({
      ...(injector.trouble === undefined ? {} : { trouble: injector.trouble }),
      pending: [...injector.pending].map(({ way }) => way),
    }),
  };
}

async function faultOf(module: string, id: string): Promise<Fault> {
  const { faults } = (await import(module)) as { faults: readonly Fault[] };
  const fault = faults.find((each) => each.id === id);
  if (!fault) throw new Error(`no fault ${id}`);
  return fault;
}

async function known(filters: readonly string[]): Promise<readonly string[]> {
  const all = await loadCatalogue();
  const found = filters.filter((filter) => all.some((experiment) => matches(experiment, filter)));
  // An empty list would mean all experiments.
  return found.length > 0 ? found : filters;
}
