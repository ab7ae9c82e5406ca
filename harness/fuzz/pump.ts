/** Inputs that are long where a reader may look again and again: a stretch of a good one, repeated. */
import type { Target } from './target.js';

/** What some pattern of ours may take any number of. */
const single = ['0', 'a', ' ', '\n', '\t', '"', "'", '[', '{', '-', '\0'];

/**
 * For each word of each seed: the seed up to there, and then the word, it with the next two, or a character of few, up to the length
 * that the target can be asked for; none where it cannot.
 * @param every takes one word of so many, so that long seeds do not take long
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
