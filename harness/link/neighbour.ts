/** Neighbour entries (ARP and neighbour discovery): flushed before an exchange, or set manually. */
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

/** Removes all learned neighbours; permanent entries stay. With -s, ip reports the result (ip-neighbour(8)). */
const flushAll = ['ip', '-s', 'neighbour', 'flush', 'all'] as const;
const flushed = /^Nothing to flush|^\*\*\* Flush is complete/m;
/** Printed when the kernel has removed a neighbour since ip listed it (ENOENT). ip then stops, with further entries not yet flushed. */
const goneMeanwhile = /^Failed to send flush request: No such file or directory$/m;
/** The maximum number of flushes: no more neighbours disappear between ip's list and its requests. */
const mostFlushes = 10;

interface Flush {
  stack: NetworkStack;
  /** A network in CIDR form, to flush only its neighbours; all when absent. */
  network?: string;
}

/**
 * Removes the neighbours of stacks, all on one machine, or those of a network: a stack sends no request for a known
 * neighbour.
 * @throws LinkError
 * @throws MacvlabError LINK_IGNORED when ip does not report the end
 */
export async function flushNeighbours(flushes: readonly Flush[]): Promise<void> {
  const session = flushes[0]?.stack.session;
  if (!session) return;
  let due = flushes;
  for (let left = mostFlushes; due.length > 0; left--) due = await flushOnce(session, due, left > 1);
}

/** @returns the flushes that stopped because a neighbour had disappeared, if that is not yet an error */
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

/** Sets a neighbour's MAC manually, so that no request is sent for it; the undo deletes the entry. */
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
  /** Undefined without an answer. */
  mac: string | undefined;
  /** NUD states (neighbour(7)): "REACHABLE", "INCOMPLETE", "FAILED". */
  state: readonly string[];
}

/** The neighbours of a stack, also those that have not answered. */
export async function readNeighbours(stack: NetworkStack): Promise<Neighbour[]> {
  const { stdout } = await stack.run(['ip', '-j', 'neighbour', 'show'], 'reading');
  const entries = parseIpJson(stdout, neighbourSchema);
  return entries.map(({ dst, lladdr, state = [] }) => ({ address: dst, mac: lladdr, state }));
}
