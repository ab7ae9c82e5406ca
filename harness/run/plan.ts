/** The plan of a run, and the listener to its progress. */
import type { Exchange } from '../exchange/exchange.js';
import type { Lab } from '../lab/lab.js';
import type { MacvlanMode } from '../link/macvlan.js';
import type { LoggedCommand } from '../remote/command-log.js';
import type { LiveCapture } from './evidence/live-capture.js';
import type { RunRecord, TestRecord } from './record.js';

/** When the lab keeps running after a run. */
export const keepChoices = ['never', 'on-failure', 'always'] as const;
export type Keep = (typeof keepChoices)[number];

export interface RunPlan {
  /** Keys, ids ("A1.3", "A1" for all of an article) or parts of titles; all experiments if empty. */
  filters: readonly string[];
  /** Only experiments about this mode. */
  mode?: MacvlanMode;
  /** Exactly these, by {@link keyOf}. Filters and mode have no effect then. */
  only?: ReadonlySet<string>;
  /** Name of the lab driver, or "auto". */
  lab: string;
  /** How many labs run side by side, with one suite file in each at a time. */
  jobs: number;
  /** Whether the run stops at the first test that does not pass. */
  bail: boolean;
  keep: Keep;
  /** Whether the evidence has one pcap per capture point, in addition to the pcapng of all points. */
  pcapPerPoint?: boolean;
  /** Receives the frames of all labs while the run continues. */
  captureTo?: LiveCapture;
  /** Whether to probe each feature in the kernel of the first opened lab, for the run's record. */
  probeFeatures?: boolean;
  /** Folder in which the run creates its own folder. */
  out: string;
  /** The command line after `macvlab`, for the record. */
  arguments: readonly string[];
  /** Aborted by SIGINT or SIGTERM: the run then ends in order. */
  signal: AbortSignal;
  listener: RunListener;
  /**
   * Resolves when the set-up of this checkout has ended; absent if none is running. Until then, only experiments that
   * need no guests or container engines run.
   */
  setUp?: Promise<void> | undefined;
  /** Called after an experiment that did not pass, before its changes are reverted. The lab waits until it returns. */
  pauseOnFailure?: (experiment: PausedExperiment) => Promise<void>;
  /** Receives the commands of each experiment, after all its changes are reverted. */
  experimentEnded?: (record: TestRecord, commands: ExperimentCommands) => void;
}

/** An experiment that did not pass, in a lab that is as the experiment left it. */
export interface PausedExperiment {
  lab: Lab;
  /** Its record so far. */
  record: Pick<TestRecord, 'id' | 'title' | 'verdict' | 'reason' | 'failure' | 'evidence'>;
  /** The run's folder. */
  folder: string;
  /** Aborts when the lab ends, or the run is interrupted. */
  signal: AbortSignal;
}

/** The commands of an experiment. */
export interface ExperimentCommands {
  /** The commands that wired the lab and started the captures. */
  wiring: readonly LoggedCommand[];
  /** The commands of the set-ups that it depends on, outermost suite first. Each suite's are the same list for all of its experiments. */
  setUps: readonly { suite: object; commands: readonly LoggedCommand[] }[];
  own: readonly LoggedCommand[];
  /** Its pings. */
  exchanges: readonly Exchange[];
}

/** Receives the progress of a run. The progress views of harness/report implement it. */
export interface RunListener {
  /** Called before `begin`, or between tests, with a message for the user. */
  remark(line: string): void;
  begin(run: RunRecord, total: number): void;
  /** @param lab the lab in which the test runs: "sandbox 1" */
  testStarted(title: string, number: number, lab: string): void;
  testEnded(record: TestRecord): void;
  end(): void;
}
