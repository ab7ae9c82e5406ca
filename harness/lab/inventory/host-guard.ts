/**
 * What is minded around a lab's time on hosts that are somebody else's: begun before the first change, ended after the last undo.
 * Their cards are claimed, their networks are compared with how they were, and what is changed of them is undone, also when the
 * connection with them is lost.
 */
import { MacvlabError } from '../../core/error.js';
import { pause } from '../../core/wait.js';
import { readRestoration } from '../../link/restoration.js';
import { CommandLog } from '../../remote/command-log.js';
import { NetworkStack } from '../../remote/network-stack.js';
import type { Session } from '../../remote/session.js';
import type { NodeName } from '../topology.js';
import { claimNic } from './claim.js';
import { Journal } from './journal.js';
import { reachToRestore } from './leftovers.js';
import type { ReachedHost } from './reach.js';
import { restoreOwn } from './restore.js';
import { armRollback, type Rollback } from './rollback.js';
import {
  compare,
  forgetNeighbours,
  formatSnapshot,
  notItsOwn,
  type Ours,
  type Snapshot,
  takeSnapshot,
} from '../host-snapshot.js';

/** A host of a lab whose own network may be changed in its course, or on whose card something of the lab's sits. */
export interface GuardedHost {
  reached: ReachedHost;
  /** The node that is its own network stack; undefined for the host of router and client, which are namespaces. */
  own: NodeName | undefined;
  /** Its card on the wire; undefined for the switch’s machine. */
  nic: string | undefined;
}

export interface GuardOptions {
  /** Whether experiments may cut the connection over which a host is reached. */
  allowCut: boolean;
  /** How the MAC addresses of what we make begin. */
  macRange: string;
  /** Networks in CIDR form whose addresses we use, as they are on the wire. */
  networks: readonly string[];
}

export interface HostGuard {
  /** Snapshots, by names of files: "node1-before.txt"; those of afterwards are there when it has ended. */
  readonly snapshots: ReadonlyMap<string, string>;
  /**
   * Undoes what is still due, and compares the hosts with how they were. Idempotent.
   * @throws MacvlabError LAB_DAMAGED where they are not; UNDO_FAILED where that cannot be found out now
   */
  end(): Promise<void>;
}

/** A host that is minded. */
interface Minded {
  host: GuardedHost;
  ours: Ours;
  before: Snapshot;
  rollback: Rollback | undefined;
}

/** Begins to mind them; the lab has been reached, and nothing is changed yet. @throws MacvlabError HOST_NIC, LAB_OPEN, LINK_UNREADABLE */
export async function guardHosts(hosts: readonly GuardedHost[], options: GuardOptions): Promise<HostGuard> {
  await Promise.all(hosts.flatMap(({ reached, nic }) => (nic === undefined ? [] : claimNic(reached.session, nic))));
  const minded: Minded[] = [];
  const snapshots = new Map<string, string>();
  // Where all is in namespaces of ours, nothing is ever due.
  const journal = hosts.some(({ own }) => own !== undefined)
    ? Journal.begin(hosts.map(({ reached, nic = '' }) => ({ address: reached.address, nic })))
    : undefined;
  try {
    const beginning = hosts.map(async (host) => {
      const { reached, nic } = host;
      const all = { macRange: options.macRange, nic, networks: options.networks };
      const networks = notItsOwn(await takeSnapshot(reached.session, all), options.networks);
      const ours = { ...all, networks };
      const before = await takeSnapshot(reached.session, ours);
      snapshots.set(`${reached.name}-before.txt`, formatSnapshot(before));
      await journal?.watch(reached.name, reached.session, ours);
      const entry: Minded = { host, ours, before, rollback: undefined };
      minded.push(entry);
      if (options.allowCut && host.own !== undefined && nic !== undefined) {
        const stack = new NetworkStack(reached.name, reached.session, new CommandLog());
        entry.rollback = await armRollback(reached.address, await readRestoration(stack, nic));
      }
    });
    await Promise.allSettled(beginning);
    await Promise.all(beginning);
  } catch (error) {
    await Promise.all(minded.flatMap(({ rollback }) => rollback?.disarm() ?? []));
    journal?.end();
    throw error;
  }
  let ending: Promise<void> | undefined;
  return { snapshots, end: () => (ending ??= endGuard(minded, journal, snapshots)) };
}

async function endGuard(
  all: readonly Minded[],
  journal: Journal | undefined,
  snapshots: Map<string, string>,
): Promise<void> {
  await Promise.all(all.flatMap(({ rollback }) => rollback?.disarm() ?? []));
  // A connection may be gone before anybody has heard of it.
  const answers = await Promise.allSettled(all.map(({ host: { reached } }) => reached.session.run(['true'])));
  const silent = new Set(
    all.filter((_, index) => answers[index]?.status === 'rejected').map(({ host }) => host.reached.session),
  );
  const isLost = (session: Session) => silent.has(session) || session.death.aborted;
  // What is lost has to go first on its host, so that what is undone there stays undone.
  await Promise.all(all.flatMap(({ host: { reached } }) => (isLost(reached.session) ? reached.close() : [])));
  journal?.end();
  const minded = all.filter(({ host: { reached } }) => journal || !isLost(reached.session));
  const open: { close(): Promise<void> }[] = [];
  const session = async ({ reached }: GuardedHost): Promise<Session> => {
    if (!isLost(reached.session)) return reached.session;
    const again = await reachToRestore(reached.address);
    open.push(again);
    return again.session;
  };
  try {
    const alive = (name: string) =>
      minded.find(({ host: { reached } }) => reached.name === name && !isLost(reached.session))?.host.reached;
    if (journal) {
      await restoreOwn(journal.file, async (address) => {
        const reached = alive(address.name);
        return reached ? { ...reached, close: () => Promise.resolve() } : reachToRestore(address);
      });
    }
    const differing = await Promise.all(
      minded.map(async (each) => {
        const { name } = each.host.reached;
        const { differences, after } = await compareNow(await session(each.host), each);
        snapshots.set(`${name}-after.txt`, formatSnapshot(after));
        if (differences.length > 0) snapshots.set(`${name}-differences.txt`, `${differences.join('\n')}\n`);
        return differences.map((line) => `${name}: ${line}`);
      }),
    );
    refuseDifferences(differing.flat());
  } finally {
    await Promise.all(open.map((again) => again.close()));
  }
}

/** Milliseconds in which a host comes to rest: an address that it had to make again is tried for a second (RFC 4862, 5.4). */
const rest = 5000;

/** Compares a host with how it was, until it is so or has had the time for it. */
async function compareNow(
  session: Session,
  { ours, before }: Minded,
): Promise<{ differences: string[]; after: Snapshot }> {
  const deadline = performance.now() + session.patience(rest);
  for (;;) {
    await forgetNeighbours(session, ours);
    const after = await takeSnapshot(session, ours);
    const differences = compare(before, after);
    if (differences.length === 0 || performance.now() > deadline) return { differences, after };
    await pause(200);
  }
}

function refuseDifferences(lines: readonly string[]): void {
  if (lines.length === 0) return;
  throw new MacvlabError('LAB_DAMAGED', 'a host is not as it was before the lab', {
    evidence: lines.join('\n'),
    next: 'look whether something else has changed it meanwhile (DHCP, a container engine); what the lab changed itself is in the commands of the evidence',
  });
}
