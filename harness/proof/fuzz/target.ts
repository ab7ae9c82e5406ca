/** A fuzzing target: a reader of bytes that another program has written, and the conditions that hold for every input. */
import { type ErrorCode, MacvlabError } from '../../core/error.js';

export interface Target {
  /** "ping", "pcap reader". */
  name: string;
  /** Well-formed inputs, from which all other inputs are made. */
  seeds: readonly Uint8Array[];
  /** Whether the input is JSON; then whole values are exchanged as well. */
  json?: boolean;
  /** Words that the reader recognizes. They are inserted anywhere. */
  words?: readonly string[];
  /** Bytes of the longest input that the reader must read quickly, even if it repeats any character. */
  longest?: number;
  /** Reads one input. It catches documented refusals. @throws an error that describes the incorrect result */
  run(input: Uint8Array): unknown;
}

/** A condition that does not hold. */
class Unsound extends Error {
  override readonly name = 'Unsound';
}

/** @throws Unsound if the condition does not hold */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Unsound(what);
}

/**
 * The result of a reader; undefined if it refuses in the documented way.
 * @param codes of the MacvlabErrors that it may throw
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

/** @throws Unsound if a number anywhere in the value is NaN or infinite */
export function mustBeFinite(value: unknown, path = 'it'): void {
  if (typeof value === 'number') must(Number.isFinite(value), `${path} is ${value}`);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const [key, each] of Object.entries(value)) mustBeFinite(each, `${path}.${key}`);
}

/** A target that reads text of any length in linear time. All numbers of its result must be finite. */
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
