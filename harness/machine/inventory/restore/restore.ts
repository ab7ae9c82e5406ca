/** Runs the due undos of a journal, for a run that cannot run them any more. */
import { rmSync } from 'node:fs';
import { MacvlabError, messageOf } from '../../../core/error.js';
import { alreadyGone } from '../../../link/change.js';
import type { Session } from '../../../remote/session.js';
import { forgetNeighbours } from './host-snapshot.js';
import {
  bootOf,
  endLab,
  labOf,
  listJournals,
  type NotedUndo,
  noteUndone,
  readJournal,
  type ReadJournal,
} from './journal.js';
import type { HostAddress } from '../file/machine.js';
import type { ReachedHost } from '../reach/reach.js';

/** Opens a root session in a host's own network. @throws MacvlabError */
export type Reach = (address: HostAddress) => Promise<Reached>;

type Reached = Pick<ReachedHost, 'session' | 'outside' | 'close'>;

/** The result for a host. */
export interface Restored {
  run: string;
  /** The host's name in its inventory. */
  host: string;
  /** The number of changes that were reverted. */
  undone: number;
  /** Why some were not: the journal stays. */
  failure?: MacvlabError;
  /** The journal's file. */
  file: string;
}

/**
 * Runs the due undos of a journal, last first, and removes it when none is left. An undo succeeds if its change is
 * already reverted, so a restore can be repeated at any point.
 */
async function restore(journal: ReadJournal, reach: Reach): Promise<Restored[]> {
  const hosts = journal.hosts.filter(({ address }) => journal.due.some(({ host }) => host === address.name));
  const restored = await Promise.all(hosts.map(({ address }) => restoreHost(journal, address, reach)));
  if (journal.damaged > 0) restored.push(unreadable(journal));
  if (restored.every(({ failure }) => !failure)) rmSync(journal.file, { force: true });
  return restored;
}

function unreadable({ run, file, hosts, damaged }: ReadJournal): Restored {
  const names = hosts.map(({ address }) => address.name).join(', ');
  const failure = new MacvlabError('UNDO_FAILED', `${damaged} lines of the journal cannot be read`, {
    evidence: file,
    next: `compare ${names} with how they were, then remove ${file}`,
  });
  return { run, host: names, undone: 0, file, failure };
}

async function restoreHost(
  { run, file, due, reached: then }: ReadJournal,
  address: HostAddress,
  reach: Reach,
): Promise<Restored> {
  const host = address.name;
  const undos = due.filter((undo) => undo.host === host).reverse();
  const done: NotedUndo[] = [];
  try {
    const reached = await reach(address);
    try {
      // No change was written to a disk, so a reboot has undone it.
      const before = then.get(host);
      if (before?.up !== (await bootOf(reached.session))) return { run, host, file, undone: 0 };
      // After a lost connection, the lab runs on until its silence timeout; a command may still be in transit.
      if (before.lab !== (await labOf(reached.session))) await reached.outside(endLab(before.lab));
      const failures: string[] = [];
      for (const undo of undos) {
        const words = await perform(reached.session, undo);
        if (words === undefined) done.push(undo);
        else failures.push(words);
      }
      if (before.ours) await forgetNeighbours(reached.session, before.ours);
      noteUndone(
        file,
        done.map(({ number }) => number),
      );
      if (failures.length === 0) return { run, host, file, undone: done.length };
      throw new MacvlabError('UNDO_FAILED', `${host}: ${failures.length} of ${undos.length} changes remain`, {
        evidence: failures.join('\n'),
        next: `undo them by hand on ${host}, then remove ${file}`,
      });
    } finally {
      await reached.close();
    }
  } catch (error) {
    const failure =
      error instanceof MacvlabError
        ? error
        : new MacvlabError('UNDO_FAILED', messageOf(error), { next: 'macvlab gc --lab inventory', cause: error });
    return { run, host, file, undone: done.length, failure };
  }
}

/** The error message if the item to restore exists already. */
const alreadyThere = /File exists|already assigned/;

/** Runs one undo; returns the reason if it fails. */
async function perform(session: Session, { commands }: NotedUndo): Promise<string | undefined> {
  for (const argv of commands) {
    const { status, stderr } = await session.run(argv);
    if (status !== 0 && !alreadyGone.test(stderr) && !alreadyThere.test(stderr)) {
      return `$ ${argv.join(' ')}\n${stderr.trim() || `exit status ${status}`}`;
    }
  }
  return undefined;
}

/** The journals to restore, and how to reach their hosts. */
export interface ClearOptions {
  reach: Reach;
  /** Only journals that name one of these hosts (address, port and jump hosts). */
  hosts?: readonly HostAddress[];
}

/** Runs the undos that killed runs have left; does not touch runs that may still be alive. */
export async function restoreHosts({ reach, hosts }: ClearOptions): Promise<Restored[]> {
  const restored: Restored[] = [];
  // One after the other, the newest first: an older run may have changed the same host.
  for (const journal of leftJournals(hosts).reverse()) restored.push(...(await restore(journal, reach)));
  return restored;
}

/** Journals of ended runs with due undos or unreadable lines; removes the others. */
export function leftJournals(hosts?: readonly HostAddress[]): ReadJournal[] {
  const left = listJournals().filter(({ alive }) => !alive);
  for (const { file } of left.filter(({ due, damaged }) => due.length === 0 && damaged === 0))
    rmSync(file, { force: true });
  const wanted = (journal: ReadJournal) =>
    !hosts || journal.hosts.some(({ address }) => hosts.some((host) => isSameHost(host, address)));
  return left.filter(({ due, damaged }) => due.length > 0 || damaged > 0).filter(wanted);
}

function isSameHost(a: HostAddress, b: HostAddress): boolean {
  return a.host === b.host && a.port === b.port && a.jump === b.jump;
}

/**
 * Runs the due undos of this run's own journal, which has ended.
 * @throws MacvlabError UNDO_FAILED if one is not possible now
 */
export async function restoreOwn(file: string, reach: Reach): Promise<void> {
  const journal = readJournal(file);
  if (journal) throwFailures((await restore(journal, reach)).flatMap(({ failure }) => failure ?? []));
}

/**
 * Runs the undos that killed runs have left on these hosts, before another run begins there.
 * @throws MacvlabError UNDO_FAILED; a single failure itself, because its message is more specific
 */
export async function restoreBeforehand(hosts: readonly HostAddress[], reach: Reach): Promise<void> {
  const failures = (await restoreHosts({ reach, hosts })).flatMap(({ failure }) => failure ?? []);
  const [only, ...others] = failures;
  if (only && others.length === 0) throw only;
  throwFailures(failures);
}

function throwFailures(failures: readonly MacvlabError[]): void {
  if (failures.length === 0) return;
  throw new MacvlabError('UNDO_FAILED', 'what was changed of hosts’ own networks could not be taken back yet', {
    evidence: failures.map((failure) => failure.format()).join('\n'),
    next: 'when they answer again: macvlab gc --lab inventory',
    cause: failures[0],
  });
}
