/** All faults. Those that deadlines detect come first, because they take long. */
import type { Fault } from '../fault.js';
import { children } from './children.js';
import { engines } from './engines.js';
import { modes } from './modes.js';
import { switches } from './switches.js';
import { tools } from './tools.js';
import { vlans } from './vlans.js';
import { wires } from './links.js';

export const faults: readonly Fault[] = [...tools, ...modes, ...engines, ...children, ...wires, ...switches, ...vlans];
