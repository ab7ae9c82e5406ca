/** What a run is asked to do, and who listens to how it goes. */
import type { Exchange } from '../lab/exchange.js';
import type { MacvlanMode } from '../link/macvlan.js';
import type { LoggedCommand } from '../remote/command-log.js';
import type { RunRecord, TestRecord } from './record.js';

/** When the lab is left running after a run. */
export const keepChoices = ['never', 'on-failure', 'always'] as const;
export type Keep = (typeof keepChoices)[number];

export interface RunPlan {
  /** Experiment ids ("A1.3", "A1" for all of an article) or parts of titles; all experiments when empty. */
  filters: readonly string[];
  /** Only experiments about this mode. */
  mode?: MacvlanMode;
  /** Exactly these, by {@link keyOf}; filters and mode say nothing then. */
  only?: ReadonlySet<string>;
  /** Name of the lab driver, or "auto". */
  lab: string;
  /** How many labs are used side by side, one suite file in each at a time. */
  jobs: number;
  /** Stop at the first test that does not pass. */
  bail: boolean;
  keep: Keep;
  /** Whether the kernel of the first lab that stands is asked for each feature, for the run's record. */
  probeFeatures?: boolean;
  /** Folder in which the run's own folder is made. */
  out: string;
  /** The command line after `macvlab`, for the record. */
  arguments: readonly string[];
  /** Aborted by SIGINT or SIGTERM: the run then ends in order. */
  signal: AbortSignal;
  listener: RunListener;
  /**
   * Resolves when the set-up of this checkout has ended, where one is at work. Until then, what can be performed without guests and
   * container engines is.
   */
  setUp?: Promise<void> | undefined;
  /** Told which commands each experiment has run, when all of it is undone. */
  performed?: (record: TestRecord, commands: PerformedCommands) => void;
}

/** The commands of an experiment. */
export interface PerformedCommands {
  /** Those that made the lab, and listen in it. */
  wiring: readonly LoggedCommand[];
  /** Those of the set-ups that it stands on, outermost suite first: each suite’s are the same list for all of its experiments. */
  setUps: readonly { suite: object; commands: readonly LoggedCommand[] }[];
  own: readonly LoggedCommand[];
  /** Its pings. */
  exchanges: readonly Exchange[];
}

/** Told how a run goes; the progress views of harness/report implement it. */
export interface RunListener {
  /** Called before `begin`, or between tests, with something that the user should know. */
  remark(line: string): void;
  begin(run: RunRecord, total: number): void;
  testStarted(title: string, number: number): void;
  testEnded(record: TestRecord): void;
  end(): void;
}
