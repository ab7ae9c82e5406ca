/** Loaded into a process (`node --import`), adds the processor time that it has used itself to a file at its end: milliseconds, a line each. */
import { appendFileSync } from 'node:fs';

const file = process.env.MACVLAB_BENCH_CPU;

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  if (file !== undefined) appendFileSync(file, `${(user + system) / 1000}\n`);
});
