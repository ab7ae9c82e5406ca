/** Numbers that tests have measured, for formats with measurements. */
import type { ExportedTest } from './exported-tests.js';

export interface Measurement {
  /** Letters, digits and hyphens: "bridge-bytes-sent-by-the-parent". */
  slug: string;
  /** "bridge: bytes sent by the parent" */
  label: string;
  value: number;
}

/** The numbers that a test has measured. Other measured values are text. */
export function measurements({ record }: ExportedTest): Measurement[] {
  return Object.entries(record?.measured ?? {}).flatMap(([label, value]) =>
    typeof value === 'number' && Number.isFinite(value) ? [{ slug: slugOf(label), label, value }] : [],
  );
}

/** Any text as letters, digits and hyphens; without accents, and never empty. */
export function slugOf(text: string): string {
  const ascii = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return ascii.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'value';
}
