/** Groups of equal items. */

/** Positions of equal items, in the order of their first occurrence. */
export function groupEqual<T>(items: readonly T[], key: (item: T) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  items.forEach((item, position) => {
    const group = groups.get(key(item));
    if (group) group.push(position);
    else groups.set(key(item), [position]);
  });
  return groups;
}

/** Names in order, ranges of neighbours by their ends: "5.10 to 6.12, 7.2". @param all the words for all of them */
export function stretchesOf(names: readonly string[], positions: readonly number[], all: string): string {
  if (positions.length === names.length && names.length > 1) return all;
  const name = (position: number | undefined): string => names[position ?? -1] ?? '';
  const stretches: number[][] = [];
  for (const position of positions) {
    const last = stretches.at(-1);
    if (last?.at(-1) === position - 1) last.push(position);
    else stretches.push([position]);
  }
  return stretches
    .map((stretch) =>
      stretch.length > 2 ? `${name(stretch[0])} to ${name(stretch.at(-1))}` : stretch.map(name).join(', '),
    )
    .join(', ');
}
