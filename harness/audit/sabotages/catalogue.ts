/** All sabotages; those that are noticed by deadlines, and so take long, first. */
import type { Sabotage } from '../sabotage.js';
import { children } from './children.js';
import { engines } from './engines.js';
import { modes } from './modes.js';
import { switches } from './switches.js';
import { tools } from './tools.js';
import { vlans } from './vlans.js';
import { wires } from './wires.js';

export const sabotages: readonly Sabotage[] = [
  ...tools,
  ...modes,
  ...engines,
  ...children,
  ...wires,
  ...switches,
  ...vlans,
];
