/** The states of the machines, as Vagrant reports them. */
import { threeMachines } from '../places.js';
import { vagrant } from './vagrant-program.js';

/** "running", "not_created", "shutoff", "inaccessible" ... by the machine's name. */
export type MachineStates = ReadonlyMap<string, string>;

/** @throws MacvlabError VAGRANT_MISSING, VAGRANT_FAILED */
export async function machineStates(environment: Record<string, string>): Promise<MachineStates> {
  return parseStates(
    await vagrant(['status', '--machine-readable'], { what: 'tell the machines’ states', environment }),
  );
}

/** Lines "time,machine,state,running" (Vagrant, "Machine Readable Output"). */
export function parseStates(output: string): MachineStates {
  const lines = output.split('\n').map((line) => line.split(','));
  return new Map(
    lines.filter(([, , type]) => type === 'state').map(([, machine = '', , state = '']) => [machine, state]),
  );
}

/** Whether all three machines are in a state. */
export function allAre(states: MachineStates, state: string): boolean {
  return threeMachines.every(({ name }) => states.get(name) === state);
}
