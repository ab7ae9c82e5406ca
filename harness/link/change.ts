/** A change of the network's configuration: its command, how it is read back, and how it is undone. */
import { isDeepStrictEqual } from 'node:util';
import { MacvlabError } from '../core/error.js';
import type { Scope } from '../core/scope.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { LinkError } from './errno.js';

export interface Change<T = unknown> {
  stack: NetworkStack;
  /** "hairpin of port node1: on" */
  what: string;
  command: readonly string[];
  /** A command whose output shows the changed value; run before and after, in the same stack. */
  read?: readonly string[];
  /** Takes the value out of what `read` printed; undefined when there is no such thing. */
  value?(output: string): T | undefined;
  /** The value that must be read back. */
  expected?: T;
  /** The command that restores what was there before; undefined when nothing needs to be done. */
  undo?(before: T | undefined): readonly string[] | undefined;
  /** Where the undo runs, when it is another stack. */
  undoIn?: NetworkStack;
}

/** A change that was made, with the value before and after it. */
export interface ChangeRecord<T = unknown> {
  what: string;
  before: T | undefined;
  after: T | undefined;
}

/**
 * Makes changes, all on one machine, in one round trip: reads the values before, changes, and reads them again.
 * Each undo is registered in the scope before anything is changed, so that a change cut short is undone as well.
 * @throws LinkError with the kernel's words for the first change that is refused; those before it stay until the undo
 * @throws MacvlabError LINK_IGNORED when the kernel accepts a change and it reads back otherwise
 */
export async function apply(changes: readonly Change[], scope?: Scope): Promise<ChangeRecord[]> {
  const session = changes[0]?.stack.session;
  if (!session) return [];
  const before = new Map<Change, unknown>();
  const tried = new Set<Change>();
  for (const change of changes) {
    if (change.undo) scope?.defer(`undo ${change.what}`, () => undo(change, tried, before));
  }
  const reads = distinctReads(changes);
  const steps = [
    ...reads.map(({ stack, argv }) => ({ stack, argv, kind: 'reading' as const, mayFail: true })),
    ...changes.map(({ stack, command }) => ({ stack, argv: command, kind: 'change' as const, mayFail: false })),
    ...reads.map(({ stack, argv }) => ({ stack, argv, kind: 'reading' as const, mayFail: true })),
  ];
  for (const change of changes) tried.add(change);
  const entries = steps.map(({ stack, argv, kind }) => stack.note(argv, kind));
  const results = await session.batch(steps.map(({ stack, argv, mayFail }) => ({ argv: stack.enter(argv), mayFail })));
  for (const [index, result] of results.entries()) {
    const entry = entries[index];
    if (entry) steps[index]?.stack.log.end(entry, result);
  }
  const output = (change: Change, offset: number) => {
    const index = reads.findIndex((read) => read.key === keyOf(change));
    const result = index < 0 ? undefined : results[offset + index];
    return result?.status === 0 ? change.value?.(result.stdout) : undefined;
  };
  for (const change of changes) before.set(change, output(change, 0));
  const records: ChangeRecord[] = [];
  for (const [index, change] of changes.entries()) {
    const position = reads.length + index;
    const result = results[position];
    if (!result) break;
    if (result.status !== 0) {
      forget(changes.slice(index), tried);
      throw new LinkError(
        `${change.stack.name}: ${change.what}`,
        change.command,
        result.stderr || result.stdout || `exit status ${result.status}`,
      );
    }
    const record = {
      what: change.what,
      before: before.get(change),
      after: output(change, reads.length + changes.length),
    };
    const entry = entries[position];
    if (entry) Object.assign(entry, { before: record.before, after: record.after });
    records.push(record);
  }
  for (const [index, change] of changes.entries()) refuseIgnored(change, records[index]);
  return records;
}

/** A change that needs neither undo nor reading of its own: it goes with the link, which is read as a whole. */
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

/** Changes that did not come about need no undo. */
function forget<T>(changes: readonly Change<T>[], tried: Set<Change>): void {
  for (const change of changes) tried.delete(change);
}

async function undo(change: Change, tried: ReadonlySet<Change>, before: ReadonlyMap<Change, unknown>): Promise<void> {
  if (!tried.has(change)) return;
  const argv = change.undo?.(before.get(change));
  if (!argv) return;
  const stack = change.undoIn ?? change.stack;
  const result = await stack.run(argv, 'undo');
  if (result.status !== 0 && !alreadyGone.test(result.stderr)) {
    throw new LinkError(`${stack.name}: undo ${change.what}`, argv, result.stderr);
  }
}

/** What an undo is content with: the experiment itself took the thing away, or what it stood on. */
const alreadyGone =
  /Cannot find device|No such (device|process)|Cannot open network namespace|Cannot remove namespace file .*No such file|Cannot assign requested address/;

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
