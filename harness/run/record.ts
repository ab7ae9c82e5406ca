/**
 * Result records: the only source of every report. A run writes `run.json` and one `records/NNN-key.json` per test.
 * JUnit, the terminal table and later views are generated from these files alone.
 */
import type { LackKind } from '../core/missing-prerequisite.js';

export type Verdict = 'passed' | 'failed' | 'skipped' | 'error';

/** A file that is a part of a test's evidence. */
export interface Evidence {
  /** "pcap": frames, as pcapng of all capture points, or as pcap of one. */
  kind: 'pcap' | 'commands' | 'links' | 'frames' | 'frames-json' | 'repro' | 'counters' | 'console';
  /** Path relative to the run's folder. */
  file: string;
  /** The content, in a few words: "frames on node1/eth1". */
  title: string;
  /** Of the pcapng of a test that has not passed: packet ids (frame.packet_id) of the frame that its reason is about. */
  packets?: number[];
}

/** A failure, with the details that a reader of a report needs. */
export interface Failure {
  /** An error code of harness/core/error.ts, or ASSERTION for a failed assertion. */
  code: string;
  /** One line. */
  message: string;
  /** Expected and seen exchange, last lines of output and similar details; several lines. */
  details?: string;
  /** The one next step for the user. */
  next?: string;
}

/** One test's result. */
export interface TestRecord {
  /** Schema 1 had no keys; {@link ./read-run.js} adds them. */
  schema: 2;
  /** The experiment's key: "a1-vepa-to-gateway". It is unique, and stays when the title changes. */
  key: string;
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
  /** One line: why it failed, ended with an error or was skipped; for a passed test an observation, if it is useful. */
  reason?: string;
  /** The kind of prerequisite that a skipped test lacks. */
  lacks?: LackKind;
  failure?: Failure;
  /** One line: why the experiment ran twice. Only its second run counts. */
  repeated?: string;
  /** Milliseconds of a pause before the lab was reverted. The user may have changed the lab by hand. Not a part of `durationMs`. */
  pausedMs?: number;
  /** Values that the kernel showed, for comparisons between kernels: { "default mode": "vepa" }. */
  observed: Record<string, string | number | boolean>;
  /** Values that vary from run to run and are not compared: { "bridge: bytes sent by the parent": 1680 }. */
  measured?: Record<string, string | number | boolean>;
  lab: string;
  kernel: string;
  /**
   * On external hosts with a separate address range: the experiment's networks and addresses on the wire, by their
   * addresses in the article: { "10.211.55.18": "10.88.0.1" }. Pcaps have these; all other evidence has the article's.
   */
  addresses?: Record<string, string>;
  /** ISO 8601 with milliseconds, UTC. */
  startedAt: string;
  /** Milliseconds. */
  durationMs: number;
  /** How many assertions were made. */
  assertions: number;
  /** How many frames the test's captures recorded. */
  frames: number;
  evidence: Evidence[];
}

/** Identifies an experiment in all versions of macvlab. Several experiments have the same id. */
export function keyOf({ key }: Pick<TestRecord, 'key'>): string {
  return key;
}

/**
 * How a kernel handled a requested feature. "supported": it accepted the change, and the read-back shows it. "refused":
 * it rejected the change. "ignored": it accepted the change, but the read-back shows a different value or none.
 * "unknown": the request never reached the kernel, because a program does not support the option or another part is
 * missing.
 */
export type FeatureState = 'supported' | 'refused' | 'ignored' | 'unknown';

/** One probed feature of the lab's kernel: a row of the kernel table. */
export interface FeatureRecord {
  /** "hairpin"; unique in a run. */
  name: string;
  /** The object to which the feature belongs: "bridge port". */
  group: string;
  state: FeatureState;
  /** One line: the read-back value, the kernel's message, or why the state is unknown. */
  words: string;
}

/** A whole run. It is written at the beginning of the run, and again at its end. */
export interface RunRecord {
  schema: 1;
  /** "20261121-081500-4f2a"; also the folder's name. */
  id: string;
  macvlab: string;
  /** The command line after `macvlab`. */
  arguments: string[];
  /** Name of a lab driver, or "auto". A test's record has the lab that ran it. */
  lab: string;
  /** Kernel release; several with commas if labs had different ones. */
  kernel: string;
  machine: string;
  /** Versions of the tools used: { "iproute2": "6.1.0", "tcpdump": "4.99.3" }. */
  tools: Record<string, string>;
  startedAt: string;
  /** Absent while the run continues, or if it was killed. */
  endedAt?: string;
  durationMs?: number;
  /** The MAC addresses of the devices that were made on external hosts: "02:6d:1a:2b:*:*". */
  macRange?: string;
  /** The external hosts of the run: { "node1": "ops@10.0.0.11" }. */
  hosts?: Record<string, string>;
  /** How many tests were planned. */
  planned: number;
  /** True when SIGINT or SIGTERM ended it. */
  interrupted: boolean;
  /** The experiment that did not pass, and after which the run ended because of `--bail` or `--keep on-failure`. */
  endedAfter?: string;
  exit?: number;
  /** How the kernel of the run's first lab handles each feature, in the order of probing; absent if probing was not requested. */
  features?: FeatureRecord[];
  /** A failure outside the tests: why no test could run, because the lab could not be built; or that probing broke a lab. */
  failure?: Failure;
}

/** A run as read from its folder. */
export interface RunResults {
  folder: string;
  run: RunRecord;
  records: TestRecord[];
}
