/**
 * Ends runs in private PID, mount, network, UTS and IPC namespaces: so that whatever is left of one can be seen, and nobody else's
 * doings are. Called as a program with a {@link Commission} as JSON. Reads a {@link Strike} as a line of JSON, and prints what has become of
 * it as a line of JSON, until its input ends; before the first, it performs a run that nobody ends, where that is asked for.
 */
import { createInterface } from 'node:readline';
import { startEngine } from '../setup/engine.mjs';
import { type Commission, type Ending, type Rehearsal, type Strike, World } from './world.js';

const commission = JSON.parse(process.argv[2] ?? '') as Commission;
const engine = commission.containers ? await startEngine() : undefined;
try {
  const world = new World(commission, engine?.host);
  // The engine's first run takes the image in, which stays.
  if (engine) await world.rehearse();
  if (commission.rehearse) tell(await world.rehearse());
  for await (const line of createInterface({ input: process.stdin })) tell(await world.end(JSON.parse(line) as Strike));
} finally {
  await engine?.stop();
}
process.exit(0);

function tell(said: Ending | Rehearsal): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
