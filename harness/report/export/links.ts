/** Addresses of a run's files where the run's folder is published. */
import type { Evidence } from '../../run/record.js';

/** The most useful file of a test first. */
const rank = {
  frames: 0,
  commands: 1,
  console: 2,
  repro: 3,
  pcap: 4,
  links: 5,
  counters: 6,
  'frames-json': 7,
} as const satisfies Record<Evidence['kind'], number>;

/** A test's evidence, the most useful file first. */
export function sortedEvidence(evidence: readonly Evidence[]): Evidence[] {
  return evidence.toSorted((a, b) => rank[a.kind] - rank[b.kind]);
}

/**
 * The address of a file.
 * @param base the address of the run's folder
 * @param file relative to that folder
 */
export function urlOf(base: string, file: string): string {
  const wellFormed = file.replace(/\p{Surrogate}/gu, '\ufffd');
  const path = wellFormed.split('/').map(encodeURIComponent).join('/');
  return `${base.replace(/\/+$/, '')}/${path}`;
}
