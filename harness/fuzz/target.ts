/** What is fuzzed: a reader of bytes that somebody else has written, and what must hold whatever they are. */
import { type ErrorCode, MacvlabError } from '../core/error.js';

export interface Target {
  /** "ping", "pcap reader". */
  name: string;
  /** Well-formed inputs, from which all others are made. */
  seeds: readonly Uint8Array[];
  /** Of JSON, whole values are exchanged as well. */
  json?: boolean;
  /** Words that mean something to the reader, put anywhere. */
  words?: readonly string[];
  /** Bytes of the longest input that it can be asked to read in no time, where any character may be repeated that often. */
  longest?: number;
  /** Reads one input. @throws what is wrong with how it was read; a refusal that is documented is caught here */
  run(input: Uint8Array): unknown;
}

/** Something that does not hold. */
class Unsound extends Error {
  override readonly name = 'Unsound';
}

/** @throws Unsound unless it holds */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Unsound(what);
}

/**
 * What a reader gives, unless it refuses in the documented way.
 * @param codes those of the MacvlabErrors that it may throw
 */
export function unlessRefused<T>(codes: readonly ErrorCode[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    refusalOf(codes, error);
    return undefined;
  }
}

/** @throws the error, unless it is one of these refusals */
export function refusalOf(codes: readonly ErrorCode[], error: unknown): void {
  if (!(error instanceof MacvlabError && codes.includes(error.code))) throw error;
}

/** @throws Unsound when a number somewhere in the value is none: NaN, or beyond all bounds */
export function mustBeFinite(value: unknown, path = 'it'): void {
  if (typeof value === 'number') must(Number.isFinite(value), `${path} is ${value}`);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const [key, each] of Object.entries(value)) mustBeFinite(each, `${path}.${key}`);
}

/** A target that reads text, of any length in a time that grows no faster; of what it gives, numbers must be numbers. */
export function textTarget(
  name: string,
  seeds: readonly string[],
  codes: readonly ErrorCode[],
  read: (text: string) => unknown,
  more: Pick<Target, 'json' | 'words' | 'longest'> = {},
): Target {
  return {
    name,
    seeds: seeds.map((seed) => Buffer.from(seed)),
    longest: 65_536,
    ...more,
    run: (input) => {
      const text = Buffer.from(input).toString();
      mustBeFinite(unlessRefused(codes, () => read(text)));
    },
  };
}
