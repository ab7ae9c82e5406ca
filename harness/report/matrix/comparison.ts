/** A comparison with a baseline in words, regressions first. */
import { isWorse } from '../../matrix/compare/compare.js';
import type { ChangedValue, Comparison, Deviation } from '../../matrix/compare/comparison.js';
import type { KernelTable } from '../../matrix/compare/kernel-table.js';
import type { Tone } from '../document/document.js';
import { groupEqual } from '../document/groups.js';
import { explanationOf } from './findings.js';
import { labelOf } from './words.js';

export interface ComparisonSection {
  title: string;
  tone: Tone;
  items: ComparisonItem[];
}

export interface ComparisonItem {
  /** The experiment, feature or kernel. */
  about: string;
  /** The same, with the value's name if it is about one. */
  subject: string;
  text: string;
}

/** "Compared with the baseline of 2026-11-20 (macvlab 0.1.0): something has got worse" */
export function comparisonTitle(comparison: Comparison): string {
  const { baseline } = comparison;
  if (!baseline) return 'There was no baseline to compare with';
  const worse = isWorse(comparison) ? 'something has got worse' : 'nothing has got worse';
  return `Compared with the baseline of ${baseline.date.slice(0, 10)} (macvlab ${baseline.macvlab.join(', ')}): ${worse}`;
}

/** The sections that are not empty; none without a baseline, because all would be new. */
export function comparisonSections(table: KernelTable, comparison: Comparison): ComparisonSection[] {
  if (!comparison.baseline) return [];
  const { newFailures, newErrors, newAlarms, fixed, changed, newKernels, vanishedKernels, updatedKernels } = comparison;
  const { newExperiments, vanishedExperiments } = comparison;
  const plain = (subjects: readonly string[]): ComparisonItem[] =>
    subjects.map((subject) => ({ about: subject, subject: labelOf(table, subject), text: '' }));
  const updated = updatedKernels.map(({ name, from, to }) => ({ about: name, subject: name, text: `${from} → ${to}` }));
  const sections: ComparisonSection[] = [
    { title: 'New failures', tone: 'failed', items: itemsOf(table, newFailures) },
    { title: 'New alarms', tone: 'alarm', items: itemsOf(table, newAlarms) },
    {
      title: 'Changed without an explanation',
      tone: 'failed',
      items: itemsOf(
        table,
        changed.filter(({ worse }) => worse),
      ),
    },
    { title: 'New errors', tone: 'error', items: itemsOf(table, newErrors) },
    {
      title: 'Changed, and not worse',
      tone: 'expected',
      items: itemsOf(
        table,
        changed.filter(({ worse }) => !worse),
      ),
    },
    { title: 'Fixed', tone: 'passed', items: itemsOf(table, fixed) },
    { title: 'Kernels with another release', tone: 'missing', items: updated },
    { title: 'New kernels', tone: 'missing', items: plain(newKernels) },
    { title: 'Vanished kernels', tone: 'missing', items: plain(vanishedKernels) },
    { title: 'New experiments', tone: 'missing', items: plain(newExperiments) },
    { title: 'Vanished experiments', tone: 'missing', items: plain(vanishedExperiments) },
  ];
  return sections.filter(({ items }) => items.length > 0);
}

/** Joins deviations that differ only in the kernel. */
function itemsOf(table: KernelTable, deviations: readonly (Deviation | ChangedValue)[]): ComparisonItem[] {
  const groups = groupEqual(deviations, ({ kernel: _, ...others }) => JSON.stringify(others));
  return [...groups.values()].flatMap((positions) => {
    const members = positions.flatMap((position) => deviations[position] ?? []);
    const [first] = members;
    return first ? [itemOf(table, first, members.map(({ kernel }) => kernel).join(', '))] : [];
  });
}

function itemOf(table: KernelTable, deviation: Deviation | ChangedValue, kernels: string): ComparisonItem {
  const { subject = 'the kernel as a whole', value, from, to, reason } = deviation;
  const explained = 'explained' in deviation ? deviation.explained : [];
  const why = [...(reason ? [reason] : []), ...explained.map((name) => explanationOf(table, name).reason)];
  const step = from === undefined ? to : `${from} → ${to}`;
  const label = labelOf(table, subject);
  const whole = value === undefined ? label : `${label}: ${value}`;
  return { about: subject, subject: whole, text: [`${kernels}: ${step}`, ...why].join('; ') };
}
