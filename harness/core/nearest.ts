/** Suggestions for a mistyped word. */

/**
 * The word with the fewest added, removed or replaced letters, at most a third of them. Of several, the one with the
 * longest common beginning.
 */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const wanted = typed.toLowerCase();
  const most = Math.max(1, Math.floor(wanted.length / 3));
  const rated = words.map((word) => ({
    word,
    distance: distance(wanted, word.toLowerCase()),
    alike: Array.from(word.toLowerCase()).findIndex((letter, index) => letter !== wanted[index]) >>> 0,
  }));
  const near = rated.filter((each) => each.distance <= most);
  return near.sort((a, b) => a.distance - b.distance || b.alike - a.alike)[0]?.word;
}

/** The Levenshtein distance, computed row by row. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of Array.from(one).entries()) {
    const next = [index + 1];
    for (let at = 0; at < other.length; at++) {
      const exchanged = (row[at] ?? 0) + (other[at] === letter ? 0 : 1);
      next.push(Math.min(exchanged, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
