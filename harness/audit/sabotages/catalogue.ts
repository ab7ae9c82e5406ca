/** All sabotages. */
import type { Sabotage } from '../sabotage.js';
import { modes } from './modes.js';
import { tools } from './tools.js';
import { wires } from './wires.js';

export const sabotages: readonly Sabotage[] = [...modes, ...wires, ...tools];
