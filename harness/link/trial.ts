/** Tries requests on a kernel, and classifies the result in one of four states, with the kernel's message. */
import { isDeepStrictEqual } from 'node:util';
import { groupBy } from '../core/group.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { LinkError } from './errno.js';
import { performLines } from './lines.js';

export interface Answer {
  /**
   * "supported": accepted, and it reads back. "refused": the kernel returned an error. "ignored": accepted, and it
   * reads back differently or not. "unknown": not detectable, for example because iproute2 does not support the word.
   */
  state: 'supported' | 'refused' | 'ignored' | 'unknown';
  /** One line: the value read back, or the kernel's message, or why the state is unknown. */
  words: string;
}

/** A request to the kernel by a command of ip or bridge. */
export interface Trial {
  /** Commands that prepare for it; the same command runs once, for all trials that name it. */
  given: readonly (readonly string[])[];
  command: readonly string[];
  /** A command whose output shows the result. */
  read: readonly string[];
  /** Extracts the result from the output of `read`; undefined when it is not there. */
  value(output: string): unknown;
  /** The value that shows success; before the command, the value must be another. */
  expected: unknown;
}

/**
 * Runs trials in a stack that the caller removes afterwards: nothing is undone.
 * @returns one answer per trial, in their order
 * @throws as {@link Session.run}; MacvlabError LINK_UNREADABLE
 */
export async function tryAll(stack: NetworkStack, trials: readonly Trial[]): Promise<Answer[]> {
  const missing = await perform(stack, distinct(trials.flatMap(({ given }) => given)));
  const obstacle = ({ given }: Trial) => given.map((command) => missing.get(lineOf(command))).find(Boolean);
  const possible = trials.filter((trial) => !obstacle(trial));
  const before = await readAll(stack, possible);
  const failures = await perform(
    stack,
    possible.map(({ command }) => command),
  );
  const after = await readAll(stack, possible);
  return trials.map((trial) => {
    const inTheWay = obstacle(trial);
    if (inTheWay) return unknown(`not tried: ${inTheWay.message.replace(/: .*/s, '')}: ${wordsOf(inTheWay)}`);
    const failure = failures.get(lineOf(trial.command));
    if (failure?.kernelMessage !== undefined) return { state: 'refused', words: wordsOf(failure) };
    if (failure) return unknown(`the kernel was not asked: ${wordsOf(failure)}`);
    const reading = after.get(trial);
    if (reading?.failure) return unknown(`accepted, but it cannot be read back: ${wordsOf(reading.failure)}`);
    return compared(trial, before.get(trial)?.value, reading?.value);
  });
}

function lineOf(command: readonly string[]): string {
  return command.join(' ');
}

function distinct(commands: readonly (readonly string[])[]): (readonly string[])[] {
  return [...groupBy(commands, lineOf).values()].flatMap(([first]) => (first ? [first] : []));
}

/** Runs all commands, those of one program in their order. @returns the failed commands, and why */
async function perform(stack: NetworkStack, commands: readonly (readonly string[])[]): Promise<Map<string, LinkError>> {
  const failures = new Map<string, LinkError>();
  for (const [program, own] of groupBy(commands, ([name = '']) => name)) {
    const complaints = await performLines(
      stack,
      program,
      own.map(([, ...words]) => words),
    );
    for (const [index, command] of own.entries()) {
      const complaint = complaints[index];
      if (complaint !== undefined) failures.set(lineOf(command), new LinkError(lineOf(command), command, complaint));
    }
  }
  return failures;
}

/** The value that was read for a trial; a failure when the reading itself failed. */
interface Reading {
  value?: unknown;
  failure?: LinkError;
}

/** The values of trials; equal readings run once. */
async function readAll(stack: NetworkStack, trials: readonly Trial[]): Promise<Map<Trial, Reading>> {
  const groups = [...groupBy(trials, ({ read }) => lineOf(read)).values()];
  const reads = groups.map(([first]) => ({ argv: stack.enter(first?.read ?? []), mayFail: true }));
  const results = await stack.session.batch(reads);
  const readings = groups.flatMap((group, index) => {
    const { status = null, stdout = '', stderr = '' } = results[index] ?? {};
    return group.map((trial): [Trial, Reading] => {
      if (status === 0) return [trial, { value: trial.value(stdout) }];
      return [trial, { failure: new LinkError(lineOf(trial.read), trial.read, stderr || `status ${status}`) }];
    });
  });
  return new Map(readings);
}

function compared({ expected }: Trial, before: unknown, after: unknown): Answer {
  if (isDeepStrictEqual(before, expected)) return unknown(`it was so before: ${described(before)}`);
  if (isDeepStrictEqual(after, expected)) return { state: 'supported', words: `reads back as ${described(after)}` };
  const back = after === undefined ? 'nothing of it is read back' : `reads back as ${described(after)}`;
  return { state: 'ignored', words: `accepted, but ${back}` };
}

function unknown(words: string): Answer {
  return { state: 'unknown', words };
}

/** In one line: "Invalid argument (EINVAL)". After its own message, iproute2 prints its usage. */
function wordsOf(error: LinkError | undefined): string {
  if (error?.kernelMessage !== undefined)
    return error.errno ? `${error.kernelMessage} (${error.errno})` : error.kernelMessage;
  const [own = ''] = (error?.stderr ?? '').split(/^Usage: /m);
  return own.trim().replace(/\s*\n\s*/g, '; ') || 'iproute2 prints its usage, as for a word that it does not know';
}

function described(value: unknown): string {
  if (Array.isArray(value)) return value.map(described).join(', ') || 'an empty list';
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, each]) => `${key} ${described(each)}`)
    .join(', ');
}
