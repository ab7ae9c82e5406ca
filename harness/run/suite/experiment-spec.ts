/** The properties of an experiment without its body. */
import type { Feature } from '../../lab/feature/features.js';
import type { MacvlanMode } from '../../link/macvlan.js';
import type { Keyed } from '../keys/key.js';

/** An experiment as it was declared. */
export interface Experiment extends Keyed {
  id: string;
  /** The title without the id. */
  title: string;
  /** Title of the outermost suite. */
  suite: string;
  /** "suites/a1-modes.ts" */
  file: string;
  modes: readonly MacvlanMode[];
  needs: readonly Feature[];
}
