/** Loaded into a process (`node --import`). At its end, it appends the process's own processor time to a file, in milliseconds, a line each. */
import { appendFileSync } from 'node:fs';

const file = process.env.MACVLAB_BENCH_CPU;

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  if (file !== undefined) appendFileSync(file, `${(user + system) / 1000}\n`);
});
