/** What a test needs of this machine: where that is missing, the test is skipped, and its title says why. */
import type { Context } from 'mocha';
import { findProgram, promisedTools } from './tools.mjs';

/** Skips a test, or all tests of a hook's suite. @param reason is added to the title: mocha's own skip has none */
export function skip(hook: Context, reason: string): never {
  const { test, currentTest } = hook;
  // a hook before all tests has the first of them as its current one, and skips all
  const skipped = test?.title.startsWith('"before all"') ? test.parent : (currentTest ?? test);
  if (skipped) skipped.title += ` (skipped: ${reason})`;
  return hook.skip();
}

/** Skips what only root can do. */
export function needsRoot(context: Context): void {
  if (process.geteuid?.() !== 0) skip(context, 'needs root');
}

/**
 * Skips what calls programs that are not installed.
 * @throws Error where they are promised: with CI=true the set-up installs them, as root; a program that it does not know is none
 *   that a test may call
 */
export function needs(context: Context, ...programs: string[]): void {
  const unknown = programs.filter((name) => !promisedTools.has(name));
  if (unknown.length > 0)
    throw new Error(`${unknown.join(', ')}: name it in harness/setup/tools.mjs, which installs what tests call`);
  const missing = programs.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return;
  const why = `${missing.join(', ')} not installed`;
  if (process.env.CI === 'true' && process.geteuid?.() === 0) throw new Error(`${why}, and CI promises it`);
  skip(context, why);
}
