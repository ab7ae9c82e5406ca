/** Checks for the programs of container engines for labs, and fetches them. guests.mjs does this for kernel and root image. */
import path from 'node:path';
import { cacheFolder, entries, prepare } from './guests.mjs';
import { SetupError } from './report.mjs';

/**
 * Whether the programs are unpacked.
 * @param {string} [cache]
 */
export function enginesArePrepared(cache = cacheFolder()) {
  return entries(path.join(cache, 'engines')).length > 0;
}

/**
 * Fetches and unpacks them, if necessary.
 * @param {string} root the project's folder, which has been built
 * @param {import('./machine.mjs').Machine} machine
 * @param {{ cache?: string | undefined, task: import('./progress.mjs').Task }} options
 * @throws {SetupError} if that fails; the command's output about it has been shown
 */
export async function prepareEngines(root, machine, { cache = cacheFolder(), task }) {
  if (enginesArePrepared(cache)) return;
  const failure = await prepare(root, machine, ['--engines'], task);
  if (failure === undefined) return task.ends();
  throw new SetupError(
    `container engines could not be prepared: ${failure}`,
    'do what `next` says above, then run: npx macvlab lab prepare --engines',
  );
}
