/** One input read, and how long that took. */
import { createContext, Script } from 'node:vm';
import { patience } from '../core/wait.js';
import type { Target } from './target.js';

/** Milliseconds of processor time for an input of some KiB, which takes few: a busy machine does not make them more. */
const timeLimit = 1000;
/** Milliseconds after which it is not waited for any more. */
const endlessAfter = 20_000;

const call = new Script('run(input)');

/** A reader of inputs, one of which may never come to an end: that is told as an error. */
export function bounded(target: Target): (input: Uint8Array) => Promise<number> {
  const globals: { run: Target['run']; input?: Uint8Array } = { run: (input) => target.run(input) };
  const context = createContext(globals);
  const measure = async (input: Uint8Array): Promise<number> => {
    globals.input = input;
    const began = process.cpuUsage();
    // What runs, be it a regular expression, V8 ends only from without.
    await call.runInContext(context, { timeout: patience(endlessAfter) });
    return process.cpuUsage(began).user / 1000;
  };
  return async (input) => {
    // A slow one has a second try: the collector of garbage counts as well.
    const took = await measure(input);
    const least = took < timeLimit ? took : Math.min(took, await measure(input));
    if (least < timeLimit) return least;
    throw new Error(`${input.length} bytes took ${Math.round(least)} ms`);
  };
}
