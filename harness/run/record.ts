/**
 * Result records: the only source of every report. A run writes `run.json` and one `records/NNN-slug.json` per test;
 * JUnit, the terminal table and later views are made from these files alone.
 */
import type { LackKind } from '../lab/lacking.js';

export type Verdict = 'passed' | 'failed' | 'skipped' | 'error';

/** A file that belongs to a test's proof. */
export interface Evidence {
  kind: 'pcap' | 'commands' | 'links' | 'frames' | 'repro' | 'counters' | 'console';
  /** Path relative to the run's folder. */
  file: string;
  /** What it shows, in a few words: "frames on node1/eth1". */
  title: string;
}

/** What went wrong, as a reader of a report needs it. */
export interface Failure {
  /** An error code of harness/core/error.ts, or ASSERTION for a failed assertion. */
  code: string;
  /** One line. */
  message: string;
  /** Expected and seen exchange, last lines of output and the like; several lines. */
  details?: string;
  /** The one thing to try next. */
  next?: string;
}

/** One test's result. */
export interface TestRecord {
  schema: 1;
  /** Position in the run, from 1. */
  number: number;
  /** Experiment id, the first of its title: "A1.3", "X1.4". */
  id: string;
  /** The title without its id. */
  title: string;
  /** The suite's title: "A1 bridge, private and vepa on one node". */
  suite: string;
  /** Source file of the suite, relative to the project: "suites/a1-modes.ts". */
  file: string;
  /** macvlan modes that the test is about. */
  modes: string[];
  verdict: Verdict;
  /** One line: why it failed, erred or was skipped; for a passed test what was observed, where that is worth saying. */
  reason?: string;
  /** What a skipped test lacks. */
  lacks?: LackKind;
  failure?: Failure;
  /** Values that the kernel showed, for comparisons between kernels: { "default mode": "vepa" }. */
  observed: Record<string, string | number | boolean>;
  /** Values that vary from run to run, which nobody compares: { "bridge: bytes sent by the parent": 1680 }. */
  measured?: Record<string, string | number | boolean>;
  lab: string;
  kernel: string;
  /**
   * On somebody's hosts with a range of their own: the networks and addresses of the experiment as they were on the wire, by what the
   * article calls them: { "10.211.55.18": "10.88.0.1" }. Pcaps have these; all else has the article's.
   */
  addresses?: Record<string, string>;
  /** ISO 8601 with milliseconds, UTC. */
  startedAt: string;
  /** Milliseconds. */
  durationMs: number;
  /** How many assertions were made. */
  assertions: number;
  /** How many frames the test's captures saw. */
  frames: number;
  evidence: Evidence[];
}

/** By this an experiment is known whichever macvlab performed it: several have the same id. */
export function keyOf({ id, title }: Pick<TestRecord, 'id' | 'title'>): string {
  return `${id} ${title}`;
}

/**
 * What a kernel made of something it was asked for. It said yes and the change read back ("supported"), it said no
 * ("refused"), it said yes and what was read back tells otherwise or nothing ("ignored"); or it cannot be told, because
 * the question never reached it ("unknown"): a program that does not know the word, or something else missing.
 */
export type FeatureState = 'supported' | 'refused' | 'ignored' | 'unknown';

/** One probed feature of the lab's kernel: a row of the kernel table. */
export interface FeatureRecord {
  /** "hairpin"; no other feature of a run has the same name. */
  name: string;
  /** What it belongs to: "bridge port". */
  group: string;
  state: FeatureState;
  /** One line: what was read back, or the kernel's words, or why it cannot be told. */
  words: string;
}

/** What a whole run was: written at its beginning, and again at its end. */
export interface RunRecord {
  schema: 1;
  /** "20261121-081500-4f2a"; also the folder's name. */
  id: string;
  macvlab: string;
  /** The command line after `macvlab`. */
  arguments: string[];
  /** Name of a lab driver, or "auto"; which lab performed a test stands in its record. */
  lab: string;
  /** Kernel release; several with commas where labs had different ones. */
  kernel: string;
  machine: string;
  /** Versions of the tools used: { "iproute2": "6.1.0", "tcpdump": "4.99.3" }. */
  tools: Record<string, string>;
  startedAt: string;
  /** Absent while the run is going on, or when it was killed. */
  endedAt?: string;
  durationMs?: number;
  /** The MAC addresses of what was made on somebody else's hosts: "02:6d:1a:2b:*:*". */
  macRange?: string;
  /** Somebody else's hosts on which it was performed: { "node1": "ops@10.0.0.11" }. */
  hosts?: Record<string, string>;
  /** How many tests were to be performed. */
  planned: number;
  /** True when SIGINT or SIGTERM ended it. */
  interrupted: boolean;
  /** The experiment that did not pass, and after which the run ended as it was asked to (`--bail`, `--keep on-failure`). */
  endedAfter?: string;
  exit?: number;
  /** What the kernel of the run's first lab makes of each feature, in the order of probing; only where that was asked for. */
  features?: FeatureRecord[];
  /** What went wrong beside the tests: why none could be performed, when the lab could not be built; that probing broke a lab. */
  failure?: Failure;
}

/** A run read back from its folder. */
export interface RunResults {
  folder: string;
  run: RunRecord;
  records: TestRecord[];
}
