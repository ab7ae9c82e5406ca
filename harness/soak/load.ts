/** Busy processors: threads of this process that do nothing, and end with it. */
import { Worker } from 'node:worker_threads';

/** Starts so many busy threads, and returns what ends them. */
export function startLoad(threads: number): () => Promise<void> {
  const workers = Array.from({ length: threads }, () => new Worker('for (;;);', { eval: true }));
  return async () => {
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
}
