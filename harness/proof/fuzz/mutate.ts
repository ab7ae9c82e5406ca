/** Makes inputs from other inputs: bytes are changed, removed, repeated, exchanged, or replaced by meaningful ones. */
import { mutateJson } from './mutate-json.js';
import { choose, type Random } from './random.js';
import type { Target } from './target.js';

/** Numbers at which most errors occur. They are written in either byte order, in 1, 2 or 4 bytes. */
const edges = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/** Text in place of numbers: not a number, or not a small one. */
const numbers = ['', '0', '-1', '1.2.3', '1e999', '1e-7', '0x10', 'NaN', '4294967296', '9'.repeat(25), '9'.repeat(400)];

/** Text that often breaks readers of text. */
const texts = [
  '\n',
  '\r\n',
  '\0',
  '\t',
  ' ',
  '"',
  "'",
  '\\',
  '%',
  '(',
  '[',
  '{',
  ':',
  ',',
  '=',
  '\u2028',
  '\ufeff',
  '€',
];

/** Bytes. Longer inputs are cut; {@link ./pump.js} tests the effect of length alone. */
const longest = 8192;

type Change = (
  input: Uint8Array,
  random: Random,
  others: readonly Uint8Array[],
  words: readonly string[],
) => Uint8Array;

/** Replaces a stretch by bytes. */
function put(input: Uint8Array, at: number, length: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([input.subarray(0, at), bytes, input.subarray(at + length)]);
}

/** A random stretch, more often short than long. */
function stretch(input: Uint8Array, random: Random): [at: number, length: number] {
  const at = random(input.length + 1);
  const length = random(Math.max(1, Math.min(input.length - at, 2 ** random(8))) + 1);
  return [at, length];
}

const changes: readonly Change[] = [
  (input, random) => {
    if (input.length === 0) return input;
    const changed = Uint8Array.from(input);
    const at = random(input.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << random(8));
    return changed;
  },
  (input, random) => put(input, ...stretch(input, random), new Uint8Array(0)),
  (input, random) => put(input, random(input.length + 1), 1, Uint8Array.of(random(256))),
  (input, random) => {
    const size = choose(random, [1, 2, 4] as const);
    const bytes = Buffer.alloc(4);
    const value = choose(random, edges);
    if (random(2) === 0) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return put(
      input,
      random(input.length + 1),
      size,
      random(2) === 0 ? bytes.subarray(0, size) : bytes.subarray(4 - size),
    );
  },
  (input, random) => {
    const [at, length] = stretch(input, random);
    const piece = input.subarray(at, at + length);
    return put(input, at, 0, Buffer.concat(Array.from({ length: 2 ** random(6) }, () => piece)));
  },
  (input, random, others) => {
    const other = choose(random, others);
    const [from, length] = stretch(other, random);
    return put(input, ...stretch(input, random), other.subarray(from, from + length));
  },
  (input, random, _, words) => {
    const all = [...texts, ...words];
    return put(input, ...stretch(input, random), Buffer.from(choose(random, all)));
  },
  (input, random, _, words) => {
    if (words.length === 0) return input;
    return put(input, random(input.length + 1), 0, Buffer.from(choose(random, words)));
  },
  (input, random) => {
    const text = Buffer.from(input).toString('latin1');
    const found = [...text.matchAll(/\d+/g)];
    if (found.length === 0) return input;
    const { index, 0: digits } = choose(random, found);
    return put(input, index, digits.length, Buffer.from(choose(random, numbers)));
  },
  (input, random) => input.subarray(0, random(input.length + 1)),
];

/** Makes an input that is most likely new. @param corpus not empty */
export function mutate({ json, words = [] }: Target, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let input = choose(random, corpus);
  if (json && random(3) > 0) return mutateJson(input, random).subarray(0, longest);
  for (let count = 1 + random(4); count > 0; count--) input = choose(random, changes)(input, random, corpus, words);
  return input.subarray(0, longest);
}
