/** Reads one input, and measures the time that it takes. */
import { createContext, Script } from 'node:vm';
import { timeout } from '../../core/wait.js';
import type { Target } from './target.js';

/** Milliseconds of processor time for an input of some KiB. Most inputs take only a few, also on a busy machine. */
const timeLimit = 1000;
/** Milliseconds after which the read is stopped. */
const endlessAfter = 20_000;

const call = new Script('run(input)');

/** Returns a reader that throws an error if an input takes too long or never ends. */
export function bounded(target: Target): (input: Uint8Array) => Promise<number> {
  const globals: { run: Target['run']; input?: Uint8Array } = { run: (input) => target.run(input) };
  const context = createContext(globals);
  const measure = async (input: Uint8Array): Promise<number> => {
    globals.input = input;
    const began = process.cpuUsage();
    // V8 can stop running code, such as a regular expression, only from outside.
    await call.runInContext(context, { timeout: timeout(endlessAfter) });
    return process.cpuUsage(began).user / 1000;
  };
  return async (input) => {
    // Measure a slow input again, because the garbage collector counts as well.
    const took = await measure(input);
    const least = took < timeLimit ? took : Math.min(took, await measure(input));
    if (least < timeLimit) return least;
    throw new Error(`${input.length} bytes took ${Math.round(least)} ms`);
  };
}
