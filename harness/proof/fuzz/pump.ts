/** Makes long inputs for readers that may scan the same text repeatedly: a stretch of a well-formed input, repeated. */
import type { Target } from './target.js';

/** Characters that a pattern of ours may accept any number of times. */
const single = ['0', 'a', ' ', '\n', '\t', '"', "'", '[', '{', '-', '\0'];

/**
 * For each word of each seed, yields the seed up to that word followed by a repeated piece. The piece is the word, the
 * word with the next two, or a single character. Each input has the target's longest length; a target without one gets
 * none.
 * @param every uses one word of this many, so that long seeds do not take long
 */
export function* pumped({ seeds, words = [], longest: length }: Target, every = 1): Generator<Uint8Array> {
  if (length === undefined) return;
  for (const seed of seeds) {
    const tokens = Buffer.from(seed)
      .toString('latin1')
      .split(/(?<=\W)|(?=\W)/);
    for (let index = 0; index < tokens.length; index += every) {
      const head = tokens.slice(0, index).join('');
      const pieces = [
        tokens[index] ?? '',
        tokens.slice(index, index + 3).join(''),
        single[index % single.length] ?? '',
      ];
      for (const piece of pieces) yield grown(head, piece, length);
    }
  }
  for (const word of [...single, ...words]) yield grown('', word, length);
}

function grown(head: string, piece: string, length: number): Uint8Array {
  const count = Math.max(0, Math.floor((length - head.length) / piece.length));
  return Buffer.from(head + piece.repeat(count), 'latin1');
}
