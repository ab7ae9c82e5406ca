/** Neighbour entries (ARP and neighbour discovery): flushed, so that an exchange starts afresh, or set by hand. */
import { z } from 'zod';
import type { NetworkStack } from '../remote/network-stack.js';
import { asPrinted } from './address.js';
import type { Change } from './change.js';
import { parseIpJson } from './link-info.js';

const neighbourSchema = z.array(
  z.looseObject({ dst: z.string(), lladdr: z.string().optional(), state: z.array(z.string()).optional() }),
);

/** The command that forgets all neighbours that were learned; permanent entries stay. */
export const flushNeighboursCommand = ['ip', 'neighbour', 'flush', 'all'] as const;

/** The same for one device. */
export function flushNeighboursOn(device: string): string[] {
  return ['ip', 'neighbour', 'flush', 'dev', device];
}

/** Sets a neighbour's MAC by hand, so that nobody has to ask for it; the undo deletes the entry. */
export function addNeighbour(stack: NetworkStack, device: string, address: string, mac: string): Change<string> {
  return {
    stack,
    what: `neighbour ${address} is at ${mac}`,
    command: ['ip', 'neighbour', 'replace', address, 'lladdr', mac, 'nud', 'permanent', 'dev', device],
    read: ['ip', '-j', 'neighbour', 'show', 'dev', device],
    value: (output) => parseIpJson(output, neighbourSchema).find(({ dst }) => dst === asPrinted(address))?.lladdr,
    expected: mac.toLowerCase(),
    undo: () => ['ip', 'neighbour', 'delete', address, 'dev', device],
  };
}

export interface Neighbour {
  address: string;
  /** Undefined while, or since, nobody has answered. */
  mac: string | undefined;
  /** NUD states (neighbour(7)): "REACHABLE", "INCOMPLETE", "FAILED". */
  state: readonly string[];
}

/** The neighbours of a stack, those that have not answered included. */
export async function readNeighbours(stack: NetworkStack): Promise<Neighbour[]> {
  const { stdout } = await stack.run(['ip', '-j', 'neighbour', 'show'], 'reading');
  const entries = parseIpJson(stdout, neighbourSchema);
  return entries.map(({ dst, lladdr, state = [] }) => ({ address: dst, mac: lladdr, state }));
}
