/**
 * Guards real hosts during a lab, from before the first change until after the last undo. The guard claims their NICs,
 * and compares their networks with snapshots from before. It undoes all changes, also after the connection is lost.
 */
import { MacvlabError } from '../../../core/error.js';
import { pause } from '../../../core/wait.js';
import { readRestoration } from '../../../link/restoration.js';
import { CommandLog } from '../../../remote/command-log.js';
import { NetworkStack } from '../../../remote/network-stack.js';
import type { Session } from '../../../remote/session.js';
import type { NodeName } from '../../topology.js';
import { claimNic } from './claim.js';
import { Journal } from './journal.js';
import { reachToRestore } from './leftovers.js';
import type { ReachedHost } from '../reach/reach.js';
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
} from './host-snapshot.js';

/** A host of a lab that may change the host's own network, or that has interfaces on the host's NIC. */
export interface GuardedHost {
  reached: ReachedHost;
  /** The node that is its own network stack; undefined for the host of router and client, which are namespaces. */
  own: NodeName | undefined;
  /** Its NIC on the wire; undefined for the switch’s machine. */
  nic: string | undefined;
}

export interface GuardOptions {
  /** Whether experiments may cut the connection over which a host is reached. */
  allowDisconnect: boolean;
  /** The prefix of the MAC addresses that the lab assigns. */
  macRange: string;
  /** Networks in CIDR form whose addresses the lab uses on the wire. */
  networks: readonly string[];
}

export interface HostGuard {
  /** Snapshots, by file name: "node1-before.txt"; those from after the lab exist when the guard has ended. */
  readonly snapshots: ReadonlyMap<string, string>;
  /**
   * Runs the undos that are still due, and compares the hosts with their snapshots from before. Idempotent.
   * @throws MacvlabError LAB_DAMAGED if they differ; UNDO_FAILED or HOST_* if an undo or comparison is impossible now
   */
  end(): Promise<void>;
}

/** A guarded host. */
interface Minded {
  host: GuardedHost;
  ours: Ours;
  before: Snapshot;
  rollback: Rollback | undefined;
}

/** Starts the guard, after macvlab has reached the hosts and before any change. @throws MacvlabError HOST_NIC, LAB_OPEN, LINK_UNREADABLE */
export async function guardHosts(hosts: readonly GuardedHost[], options: GuardOptions): Promise<HostGuard> {
  await Promise.all(hosts.flatMap(({ reached, nic }) => (nic === undefined ? [] : claimNic(reached.session, nic))));
  const minded: Minded[] = [];
  const snapshots = new Map<string, string>();
  // If all nodes are in the lab’s own namespaces, no undo is ever due.
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
      if (options.allowDisconnect && host.own !== undefined && nic !== undefined) {
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
  // A connection can be lost before macvlab detects it.
  const answers = await Promise.allSettled(all.map(({ host: { reached } }) => reached.session.run(['true'])));
  const silent = new Set(
    all.filter((_, index) => answers[index]?.status === 'rejected').map(({ host }) => host.reached.session),
  );
  const isLost = (session: Session) => silent.has(session) || session.death.aborted;
  // Lost sessions end first on their hosts, so that none of their commands can run after the undos.
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

/** Milliseconds until a host settles: duplicate address detection for a restored address takes a second (RFC 4862, 5.4). */
const rest = 5000;

/** Compares a host with its snapshot from before, until both are equal or the deadline passes. */
async function compareNow(
  session: Session,
  { ours, before }: Minded,
): Promise<{ differences: string[]; after: Snapshot }> {
  const deadline = performance.now() + session.timeout(rest);
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
