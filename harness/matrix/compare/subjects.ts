/** The subjects in which kernels may differ, with the known differences about each. */
import type { Subject } from './expectation.js';
import type { KnownDifference } from './known-difference.js';
import type { ExperimentKey } from '../record.js';
import { hasKey } from '../../run/keys/key.js';
import { oldNamesOf } from '../../run/keys/old-titles.js';

/** Finds the known differences about experiments and features. */
export class Subjects {
  readonly #known: readonly KnownDifference[];

  constructor(known: readonly KnownDifference[]) {
    this.#known = known;
  }

  /** An experiment's verdict. */
  verdict(experiment: ExperimentKey): Subject {
    const known = this.#known.filter(({ about }) => about.observed === undefined && isAbout(about, experiment));
    return { known };
  }

  /** A value that an experiment observes. */
  value(experiment: ExperimentKey, name: string): Subject {
    const known = this.#known.filter(({ about }) => about.observed === name && isAbout(about, experiment));
    return { label: name, known };
  }

  feature(name: string): Subject {
    return { known: this.#known.filter(({ about }) => about.feature === name) };
  }
}

function isAbout({ experiment, title }: KnownDifference['about'], about: ExperimentKey): boolean {
  if (experiment === undefined) return false;
  if (!hasKey(about, experiment) && experiment.toLowerCase() !== about.id.toLowerCase()) return false;
  return title === undefined || [about.title, ...oldNamesOf(about.key)].some((whole) => whole.includes(title));
}
