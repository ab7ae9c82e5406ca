/**
 * What a known difference between kernels is. A cell of the kernel table that is as one says is expected; one that is not
 * alarms, so that what is known cannot grow old in silence.
 */
import type { FeatureState, TestRecord } from '../run/record.js';

/** A value that an experiment has observed. */
export type ObservedValue = TestRecord['observed'][string];

interface Known {
  /** By this it is named in tables; no other has the same. */
  name: string;
  /** Upstream versions as a range of semver: ">=6.4", ">=5.10 <6.1.119 || >=7.3-rc2". ">=6.4" begins with 6.4-rc1. */
  kernels: string;
  /** Why they differ, in a sentence or two. */
  reason: string;
  /** Where that can be read: a commit, a file of the kernel with its function, a page of documentation. */
  source: string;
}

/** An experiment that does not come out as on other kernels. */
export interface KnownVerdict extends Known {
  about: {
    /** "X3.1"; several experiments may have it. */
    experiment: string;
    /** A part of the experiment's title, where not all of that id are meant. */
    title?: string;
    observed?: never;
    feature?: never;
  };
  expected: 'failed' | 'skipped';
}

/** A value that an experiment observes. */
export interface KnownValue extends Known {
  about: { experiment: string; title?: string; observed: string; feature?: never };
  expected: ObservedValue;
}

/** A probed feature's state. */
export interface KnownFeature extends Known {
  about: { feature: string; experiment?: never; title?: never; observed?: never };
  expected: Exclude<FeatureState, 'unknown'>;
}

export type KnownDifference = KnownVerdict | KnownValue | KnownFeature;
