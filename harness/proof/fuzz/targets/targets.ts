/** The list of all fuzzing targets. */
import type { Target } from '../target.js';
import { fileTargets } from './files.js';
import { hostTargets } from './hosts.js';
import { machineTargets } from './machine.js';
import { programTargets } from './programs.js';
import { wireTargets } from './wire.js';

export const targets: readonly Target[] = [
  ...wireTargets,
  ...programTargets,
  ...machineTargets,
  ...hostTargets,
  ...fileTargets,
];
