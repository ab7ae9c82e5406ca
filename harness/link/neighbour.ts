/** Neighbour entries (ARP and neighbour discovery): flushed, so that an exchange starts afresh, or set by hand. */
import { z } from 'zod';
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { parseIpJson } from './link-info.js';

const neighbourSchema = z.array(
  z.looseObject({ dst: z.string(), lladdr: z.string().optional(), state: z.array(z.string()).optional() }),
);

/** The command that forgets all neighbours that were learned; permanent entries stay. */
export const flushNeighboursCommand = ['ip', 'neighbour', 'flush', 'all'] as const;

/** Sets a neighbour's MAC by hand, so that nobody has to ask for it; the undo deletes the entry. */
export function addNeighbour(stack: NetworkStack, device: string, address: string, mac: string): Change<string> {
  return {
    stack,
    what: `neighbour ${address} is at ${mac}`,
    command: ['ip', 'neighbour', 'replace', address, 'lladdr', mac, 'nud', 'permanent', 'dev', device],
    read: ['ip', '-j', 'neighbour', 'show', 'dev', device],
    value: (output) => parseIpJson(output, neighbourSchema).find(({ dst }) => dst === address)?.lladdr,
    expected: mac.toLowerCase(),
    undo: () => ['ip', 'neighbour', 'delete', address, 'dev', device],
  };
}

/** The neighbours of a stack: IP address to MAC address; entries without an answer are left out. */
export async function readNeighbours(stack: NetworkStack): Promise<Map<string, string>> {
  const { stdout } = await stack.run(['ip', '-j', 'neighbour', 'show'], 'reading');
  const known = parseIpJson(stdout, neighbourSchema).filter(({ lladdr }) => lladdr !== undefined);
  return new Map(known.map(({ dst, lladdr }) => [dst, lladdr ?? '']));
}
