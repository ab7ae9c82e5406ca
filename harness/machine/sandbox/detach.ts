/** Detaches a sandbox: another process takes over the stream that keeps its init running. */
import { startHolder } from '../detached/holders.js';
import type { Init } from './init.js';

/** Passes init's standard input to a process in its own session, and returns that process's id. Ending it ends the sandbox. */
export async function detachInit(init: Init): Promise<number> {
  const holder = await startHolder([init.stdin]);
  init.process.unref();
  return holder;
}
