/** A change of the network's configuration: its command, how it is read back, and how it is undone. */
import { isDeepStrictEqual } from 'node:util';
import { MacvlabError } from '../core/error.js';
import type { Scope } from '../core/scope.js';
import type { BatchResult } from '../remote/batch.js';
import type { LoggedCommand } from '../remote/command-log.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import type { UndoJournal } from '../remote/undo-journal.js';
import { LinkError } from './errno.js';

export interface Change<T = unknown> {
  stack: NetworkStack;
  /** "hairpin of port node1: on" */
  what: string;
  command: readonly string[];
  /** A command whose output shows the changed value; run before and after, in the same stack. */
  read?: readonly string[];
  /** Extracts the value from the output of `read`; undefined when it is not there. */
  value?(output: string): T | undefined;
  /** The value that must be read back. */
  expected?: T;
  /** The command that restores the previous value; undefined when nothing needs to be done. */
  undo?(before: T | undefined): readonly string[] | undefined;
  /** Where the undo runs, if that is another stack. */
  undoIn?: NetworkStack;
}

/** A change that was made, with the value before and after it. */
export interface ChangeRecord<T = unknown> {
  what: string;
  before: T | undefined;
  after: T | undefined;
}

/**
 * Makes changes, all on one machine, in one round trip: reads the values before, changes, and reads them again. With a
 * journal it takes two, because an undo must be recorded before the change. Each undo is registered in the scope before
 * the change, so that an interrupted change is also undone.
 * @throws LinkError with the kernel's message for the first change that is refused; those before it stay until the undo
 * @throws MacvlabError LINK_IGNORED when the kernel accepts a change and it reads back differently
 */
export async function apply(changes: readonly Change[], scope?: Scope): Promise<ChangeRecord[]> {
  const session = changes[0]?.stack.session;
  if (!session) return [];
  const before = new Map<Change, unknown>();
  const tried = new Map<Change, Note>();
  for (const change of changes) {
    if (!change.undo) continue;
    scope?.defer(`undo ${change.what}`, async () => {
      // The scope may end during the change, because of an error elsewhere.
      await making.catch(() => undefined);
      await undo(change, tried.get(change), before);
    });
  }
  const making = make(session, changes, before, tried);
  return making;
}

/**
 * Makes changes.
 * @param before receives the values before
 * @param tried receives the changes that may have been made
 */
async function make(
  session: Session,
  changes: readonly Change[],
  before: Map<Change, unknown>,
  tried: Map<Change, Note>,
): Promise<ChangeRecord[]> {
  const reads = distinctReads(changes);
  const reading = reads.map(({ stack, argv }): Step => ({ stack, argv, kind: 'reading', mayFail: true }));
  const changing = changes.map(({ stack, command }): Step => ({
    stack,
    argv: command,
    kind: 'change',
    mayFail: false,
  }));
  const value = (change: Change, results: readonly Result[]) => {
    const result = results[reads.findIndex((read) => read.key === keyOf(change))];
    return result?.status === 0 ? change.value?.(result.stdout) : undefined;
  };
  const journalled = changes.some((change) => change.undo && journalOf(change));
  const earlier = journalled ? await perform(session, reading) : [];
  if (journalled) for (const change of changes) before.set(change, value(change, earlier));
  for (const change of changes) tried.set(change, noteUndo(change, before.get(change)));
  const later = await perform(session, [...(journalled ? [] : reading), ...changing, ...reading]);
  const performed = journalled ? [...earlier, ...later] : later;
  if (!journalled) for (const change of changes) before.set(change, value(change, performed));
  const after = performed.slice(reads.length + changes.length);
  const records: ChangeRecord[] = [];
  for (const [index, change] of changes.entries()) {
    const result = performed[reads.length + index];
    if (!result) break;
    if (result.status !== 0) {
      forget(changes.slice(index), tried);
      throw new LinkError(
        `${change.stack.name}: ${change.what}`,
        change.command,
        result.stderr || result.stdout || `exit status ${result.status}`,
      );
    }
    const record = { what: change.what, before: before.get(change), after: value(change, after) };
    Object.assign(result.entry, { before: record.before, after: record.after });
    records.push(record);
  }
  for (const [index, change] of changes.entries()) refuseIgnored(change, records[index]);
  return records;
}

interface Step {
  stack: NetworkStack;
  argv: readonly string[];
  kind: 'reading' | 'change';
  mayFail: boolean;
}

interface Result extends BatchResult {
  /** Its entry in the log. */
  entry: LoggedCommand;
}

/** Runs steps up to the first failure of a step without `mayFail`. */
async function perform(session: Session, steps: readonly Step[]): Promise<Result[]> {
  const entries = steps.map(({ stack, argv, kind }) => stack.note(argv, kind));
  const results = await session.batch(steps.map(({ stack, argv, mayFail }) => ({ argv: stack.enter(argv), mayFail })));
  return results.flatMap((result, index) => {
    const [entry, step] = [entries[index], steps[index]];
    if (!entry || !step) return [];
    step.stack.log.end(entry, result);
    return { ...result, entry };
  });
}

/** Marks a change as tried; `settled` reports that it no longer needs an undo. */
interface Note {
  settled(): void;
}

function journalOf(change: Change): UndoJournal | undefined {
  return (change.undoIn ?? change.stack).journal;
}

function noteUndo(change: Change, before: unknown): Note {
  const journal = journalOf(change);
  const argv = journal && change.undo?.(before);
  return { settled: argv ? journal.note([argv]) : () => undefined };
}

/** A change that needs no separate undo or reading: it is removed with the link, which is read as a whole. */
export function settled<T>({ stack, what, command }: Change<T>): Change {
  return { stack, what, command };
}

interface Read {
  stack: NetworkStack;
  argv: readonly string[];
  key: string;
}

function distinctReads(changes: readonly Change[]): Read[] {
  const reads = new Map<string, Read>();
  for (const change of changes) {
    const key = keyOf(change);
    if (change.read && key !== undefined) reads.set(key, { stack: change.stack, argv: change.read, key });
  }
  return [...reads.values()];
}

function keyOf({ stack, read }: Change): string | undefined {
  return read && `${stack.name} ${read.join(' ')}`;
}

/** Failed changes need no undo. */
function forget(changes: readonly Change[], tried: Map<Change, Note>): void {
  for (const change of changes) {
    tried.get(change)?.settled();
    tried.delete(change);
  }
}

async function undo(change: Change, tried: Note | undefined, before: ReadonlyMap<Change, unknown>): Promise<void> {
  if (!tried) return;
  const argv = change.undo?.(before.get(change));
  if (!argv) return;
  const stack = change.undoIn ?? change.stack;
  const result = await stack.run(argv, 'undo');
  if (result.status !== 0 && !alreadyGone.test(result.stderr)) {
    throw new LinkError(`${stack.name}: undo ${change.what}`, argv, result.stderr);
  }
  tried.settled();
}

/** Errors that an undo accepts: the experiment itself removed the object, or its parent. */
export const alreadyGone =
  /Cannot find device|No such (device|process)|Cannot open network namespace|Cannot remove namespace file .*No such file|Cannot assign requested address|[Aa]ddress not found/;

function refuseIgnored(change: Change, record: ChangeRecord | undefined): void {
  if (!record || !('expected' in change) || isDeepStrictEqual(record.after, change.expected)) return;
  throw new MacvlabError(
    'LINK_IGNORED',
    `${change.stack.name}: ${change.what}: accepted, but it reads back as ${JSON.stringify(record.after)}`,
    {
      evidence: `$ ${change.command.join(' ')}\n$ ${change.read?.join(' ')}`,
      next: 'the kernel does not know this setting, or another program changed it back; look at the links in the evidence',
    },
  );
}
