/** The probed features as rows of the table. */
import type { FeatureState } from '../../run/record.js';
import type { Performed } from './columns.js';
import type { FeatureRow } from './kernel-table.js';

/** One row per feature that was probed on any kernel, in the order of the first probe; groups stay together. */
export function featureRows(performed: readonly Pick<Performed, 'features'>[]): FeatureRow[] {
  const groups = new Map<string, Set<string>>();
  const seen = new Set<string>();
  for (const { name, group } of performed.flatMap(({ features }) => [...features.values()])) {
    if (seen.has(name)) continue;
    seen.add(name);
    const names = groups.get(group) ?? new Set();
    groups.set(group, names.add(name));
  }
  return [...groups].flatMap(([group, names]) =>
    [...names].map((name) => ({ group, name, cells: performed.map(({ features }) => cellOf(features.get(name))) })),
  );
}

function cellOf(feature: { state: FeatureState; words: string } | undefined): FeatureRow['cells'][number] {
  return feature && { state: feature.state, words: feature.words };
}
