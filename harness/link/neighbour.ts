/** Neighbour entries (ARP and neighbour discovery): flushed, so that an exchange starts afresh, or set by hand. */
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import { asPrinted } from './address.js';
import type { Change } from './change.js';
import { LinkError } from './errno.js';
import { parseIpJson } from './link-info.js';

const neighbourSchema = z.array(
  z.looseObject({ dst: z.string(), lladdr: z.string().optional(), state: z.array(z.string()).optional() }),
);

/** Forgets all neighbours that were learned; permanent entries stay. With -s, ip says what it has come to (ip-neighbour(8)). */
const flushAll = ['ip', '-s', 'neighbour', 'flush', 'all'] as const;
const flushed = /^Nothing to flush|^\*\*\* Flush is complete/m;
/** Said when the kernel has forgotten a neighbour by itself since ip listed it (ENOENT): ip gives up then, with others still to be flushed. */
const goneMeanwhile = /^Failed to send flush request: No such file or directory$/m;
/** How often a flush is begun: more neighbours than that do not go by themselves between ip's list and its requests. */
const mostFlushes = 10;

interface Flush {
  stack: NetworkStack;
  /** A network in CIDR form whose neighbours are meant; all when absent. */
  network?: string;
}

/**
 * Makes stacks, all on one machine, forget their neighbours, or those of a network: one that is still known would not be asked for.
 * @throws LinkError
 * @throws MacvlabError LINK_IGNORED when ip does not say that it has come to an end
 */
export async function flushNeighbours(flushes: readonly Flush[]): Promise<void> {
  const session = flushes[0]?.stack.session;
  if (!session) return;
  let due = flushes;
  for (let left = mostFlushes; due.length > 0; left--) due = await flushOnce(session, due, left > 1);
}

/** @returns those that came to no end because a neighbour went by itself, if that is no error yet */
async function flushOnce(session: Session, flushes: readonly Flush[], mayRepeat: boolean): Promise<Flush[]> {
  const steps = flushes.map((flush) => {
    const { stack, network } = flush;
    const argv = network === undefined ? flushAll : [...flushAll.slice(0, -1), 'to', network];
    return { flush, stack, argv, entry: stack.note(argv, 'change') };
  });
  const results = await session.batch(steps.map(({ stack, argv }) => ({ argv: stack.enter(argv), mayFail: true })));
  return steps.flatMap(({ flush, stack, argv, entry }, index) => {
    const result = results[index];
    if (!result) return [];
    stack.log.end(entry, result);
    const { status, stdout, stderr } = result;
    const what = `${stack.name}: forget neighbours`;
    if (status !== 0 && mayRepeat && goneMeanwhile.test(stderr)) return [flush];
    if (status !== 0) throw new LinkError(what, argv, stderr);
    if (flushed.test(stdout)) return [];
    throw new MacvlabError('LINK_IGNORED', `${what}: ip does not say that it has flushed them`, {
      evidence: `$ ${argv.join(' ')}\n${stdout}${stderr}`,
      next: 'check that `ip -V` is iproute2; a neighbour that is still known would not be asked for',
    });
  });
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
