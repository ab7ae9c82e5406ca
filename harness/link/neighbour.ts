/** Neighbour entries (ARP and neighbour discovery): flushed, so that an exchange starts afresh, or set by hand. */
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { asPrinted } from './address.js';
import type { Change } from './change.js';
import { LinkError } from './errno.js';
import { parseIpJson } from './link-info.js';

const neighbourSchema = z.array(
  z.looseObject({ dst: z.string(), lladdr: z.string().optional(), state: z.array(z.string()).optional() }),
);

/** The command that forgets all neighbours that were learned; permanent entries stay. With -s, ip says what it has come to (ip-neighbour(8)). */
export const flushNeighboursCommand = ['ip', '-s', 'neighbour', 'flush', 'all'] as const;
const flushed = /^Nothing to flush|^\*\*\* Flush is complete/m;

/**
 * Makes stacks, all on one machine, forget their neighbours, or those on a device: one that is still known would not be asked for.
 * @throws LinkError
 * @throws MacvlabError LINK_IGNORED when ip does not say that it has come to an end
 */
export async function flushNeighbours(flushes: readonly { stack: NetworkStack; device?: string }[]): Promise<void> {
  const session = flushes[0]?.stack.session;
  if (!session) return;
  const steps = flushes.map(({ stack, device }) => {
    const argv =
      device === undefined ? flushNeighboursCommand : [...flushNeighboursCommand.slice(0, -1), 'dev', device];
    return { stack, argv, entry: stack.note(argv, 'change') };
  });
  const results = await session.batch(steps.map(({ stack, argv }) => ({ argv: stack.enter(argv) })));
  for (const [index, result] of results.entries()) {
    const step = steps[index];
    if (!step) continue;
    const { stack, argv, entry } = step;
    stack.log.end(entry, result);
    const what = `${stack.name}: forget neighbours`;
    if (result.status !== 0) throw new LinkError(what, argv, result.stderr);
    if (flushed.test(result.stdout)) continue;
    throw new MacvlabError('LINK_IGNORED', `${what}: ip does not say that it has flushed them`, {
      evidence: `$ ${argv.join(' ')}\n${result.stdout}${result.stderr}`,
      next: 'check that `ip -V` is iproute2; a neighbour that is still known would not be asked for',
    });
  }
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
