/** Skips tests that need something that this machine lacks; the title of a skipped test contains the reason. */
import type { Context } from 'mocha';
import { findProgram, promisedTools } from './tools.mjs';

/** Skips a test, or all tests of a hook's suite. @param reason is added to the title: mocha's own skip has none */
export function skip(hook: Context, reason: string): never {
  const { test, currentTest } = hook;
  // in a hook before all tests, the current test is the first of them; the skip applies to all
  const skipped = test?.title.startsWith('"before all"') ? test.parent : (currentTest ?? test);
  if (skipped) skipped.title += ` (skipped: ${reason})`;
  return hook.skip();
}

/** Skips tests that only root can run. */
export function needsRoot(context: Context): void {
  if (process.geteuid?.() !== 0) skip(context, 'needs root');
}

/**
 * Skips tests that call programs that are not installed.
 * @throws Error for missing promised programs: with CI=true the set-up installs them, as root. Also for a program that
 *   the set-up does not list; tests must not call it.
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
