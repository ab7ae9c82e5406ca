/**
 * Ends runs in private PID, mount, network, UTS and IPC namespaces, so that it sees the leftovers of a run and no other
 * processes. Its argument is a {@link KillJob} as JSON. It reads {@link Kill}s as lines of JSON until its input ends,
 * and prints each result as a line of JSON. If the job requests it, it first makes an uninterrupted run and prints its
 * result.
 */
import { createInterface } from 'node:readline';
import { startEngine } from '../../setup/engine.mjs';
import { type KillJob, type KilledRun, type UninterruptedRun, type Kill, ScratchMachine } from './scratch-machine.js';

const job = JSON.parse(process.argv[2] ?? '') as KillJob;
const engine = job.containers ? await startEngine() : undefined;
try {
  const machine = new ScratchMachine(job, engine?.host);
  // The engine's first run imports the image, which stays.
  if (engine) await machine.rehearse();
  if (job.rehearse) tell(await machine.rehearse());
  for await (const line of createInterface({ input: process.stdin })) tell(await machine.end(JSON.parse(line) as Kill));
} finally {
  await engine?.stop();
}
process.exit(0);

function tell(said: KilledRun | UninterruptedRun): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
