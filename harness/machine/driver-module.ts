/** The interface of a driver's folder: everything that the rest of macvlab uses of the driver. */
import type { z } from 'zod';
import type { LabDriver, Machines } from './driver.js';
import type { LabOptions } from './options.js';
import type { NodeName } from './topology.js';

/** Sessions with a lab that another process has created. */
export type Attached = Pick<Machines, 'machine' | 'nodes' | 'ssh'>;

/** How other processes use a detached lab. @typeParam State the data that they need, from the lab's state file */
export interface DetachedUse<State = unknown> {
  state: z.ZodType<State>;
  /** Opens sessions with these nodes. @throws MacvlabError REMOTE_CONNECT when the lab is gone */
  attach(state: State, nodes: readonly NodeName[]): Promise<Attached>;
  /** Waits until a lab whose holder has ended is gone, or removes it; absent if a lab ends with its processes. @throws MacvlabError */
  end?(state: State): Promise<void>;
}

/** A leftover of a killed run. */
export interface Leftover {
  /** The leftover and its treatment: "container a1 was left by a run that is gone: removed". */
  line?: string;
  /** Why it still exists, or why the search for it failed. */
  trouble?: string;
  /** Set if a change on the user's machine could not be reverted. */
  failed?: true;
}

/** A driver's module: `index.ts` of its folder exports one as `driver`. */
export interface DriverModule<State = unknown> {
  /** Creates the driver. It has all the given options. @throws MacvlabError USAGE */
  load(options: LabOptions): LabDriver;
  /** Absent if its labs cannot be left running. */
  detached?: DetachedUse<State>;
  /** Removes leftovers of killed runs; with `dryRun`, only finds them. Absent if there can be none. @throws MacvlabError */
  leftovers?(options: { dryRun: boolean }): Promise<readonly Leftover[]>;
}
