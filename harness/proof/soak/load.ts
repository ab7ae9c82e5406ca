/** Keeps processors busy with threads of this process that do nothing useful, and end with it. */
import { Worker } from 'node:worker_threads';

/** Starts this many busy threads. Returns a function that ends them. */
export function startLoad(threads: number): () => Promise<void> {
  const workers = Array.from({ length: threads }, () => new Worker('for (;;);', { eval: true }));
  return async () => {
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
}
