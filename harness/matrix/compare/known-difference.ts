/**
 * The type of a known difference between kernels. A cell that agrees with it is expected. A cell that contradicts it
 * raises an alarm, so that an outdated entry is noticed.
 */
import type { FeatureState, TestRecord } from '../../run/record.js';

/** A value that an experiment has observed. */
export type ObservedValue = TestRecord['observed'][string];

interface Known {
  /** Its name in tables; unique. */
  name: string;
  /** Upstream versions as a range of semver: ">=6.4", ">=5.10 <6.1.119 || >=7.3-rc2". ">=6.4" begins with 6.4-rc1. */
  kernels: string;
  /** Why they differ, in a sentence or two. */
  reason: string;
  /** The source of the reason: a commit, a file of the kernel with its function, a page of documentation. */
  source: string;
}

/** An experiment with another verdict than on other kernels. */
export interface KnownVerdict extends Known {
  about: {
    /** The experiment's key, "x3-multicast-vepa-hairpin-on"; or "X3.1" for all experiments with that id. */
    experiment: string;
    /** A part of the title, current or from before experiments had keys, to select some experiments of that id. A key needs none. */
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
