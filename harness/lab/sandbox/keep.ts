/** A sandbox that is left running: another process holds what keeps its init alive. */
import { startKeeper } from '../keepers.js';
import type { Init } from './init.js';

/** Hands init's standard input to a process of its own session, and returns that process's id. Ending it ends the sandbox. */
export async function keepInit(init: Init): Promise<number> {
  const keeper = await startKeeper([init.stdin]);
  init.process.unref();
  return keeper;
}
