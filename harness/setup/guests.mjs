/**
 * Whether guests have what they boot from, and seeing to it. Found by looking at the cache's folders alone, since every run
 * begins with it: `macvlab lab prepare` does the work, and knows exactly.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { SetupError, say } from './report.mjs';

/** As harness/kernel/catalogue.ts has it (`defaultKernel`), which is not built yet when this is read. */
export const defaultSeries = '6.12';

/** Makes the kernel, and all else that guests boot from; relative to the project's folder. */
const preparing = ['dist/harness/cli/main.js', 'lab', 'prepare'];

/** As harness/core/cache.ts has it. */
export function cacheFolder({ MACVLAB_CACHE: own, XDG_CACHE_HOME: user } = process.env) {
  if (own) return own;
  return path.join(user?.startsWith('/') ? user : path.join(homedir(), '.cache'), 'macvlab');
}

/**
 * Whether a kernel and a root image have been made.
 * @param {string} [cache]
 */
export function guestsArePrepared(cache = cacheFolder()) {
  return (
    entries(path.join(cache, 'kernels')).some((name) => name.startsWith(`${defaultSeries}.`)) &&
    entries(path.join(cache, 'root-images')).length > 0
  );
}

/**
 * The entries of a folder of the cache that are whole.
 * @param {string} folder
 */
export function entries(folder) {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.endsWith('.part')) : [];
}

/**
 * Fetches and builds what guests boot from, if need be.
 * @param {string} root the project's folder, which has been built
 * @param {{ mayInstall: boolean, cache?: string | undefined }} options
 * @throws {SetupError} when that fails; what the command says about it has been shown
 */
export function prepareGuests(root, { mayInstall, cache = cacheFolder() }) {
  if (guestsArePrepared(cache)) return;
  const line = 'npx macvlab lab prepare';
  if (!mayInstall) {
    say(`guests have no kernel and root image yet; the first run that needs a guest makes them (beforehand: ${line})`);
    return;
  }
  say(
    `guests have no kernel and root image yet; fetching Linux ${defaultSeries} and a few programs from Debian’s archive, once: ` +
      `a minute or so, 350 MB in ${cache}`,
  );
  const { status, error } = spawnSync(process.execPath, preparing, { cwd: root, stdio: ['ignore', 2, 2] });
  if (!error && status === 0) return;
  throw new SetupError(
    `guests could not be prepared: ${error?.message ?? `exit status ${status}`}`,
    `do what \`next\` says above, then run: ${line}`,
  );
}
