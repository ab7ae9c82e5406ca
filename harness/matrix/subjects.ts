/** The things that kernels may do differently, with the known differences that are about each. */
import type { Subject } from './expectation.js';
import type { KnownDifference } from './known-difference.js';
import type { ExperimentKey } from './record.js';

/** Finds what is known about experiments and features. */
export class Subjects {
  readonly #known: readonly KnownDifference[];

  constructor(known: readonly KnownDifference[]) {
    this.#known = known;
  }

  /** An experiment's verdict. */
  verdict(experiment: Pick<ExperimentKey, 'id' | 'title'>): Subject {
    const known = this.#known.filter(({ about }) => about.observed === undefined && isAbout(about, experiment));
    return { known };
  }

  /** A value that an experiment observes. */
  value(experiment: Pick<ExperimentKey, 'id' | 'title'>, name: string): Subject {
    const known = this.#known.filter(({ about }) => about.observed === name && isAbout(about, experiment));
    return { label: name, known };
  }

  feature(name: string): Subject {
    return { known: this.#known.filter(({ about }) => about.feature === name) };
  }
}

function isAbout(
  { experiment, title }: KnownDifference['about'],
  { id, title: whole }: Pick<ExperimentKey, 'id' | 'title'>,
): boolean {
  return experiment?.toLowerCase() === id.toLowerCase() && (title === undefined || whole.includes(title));
}
