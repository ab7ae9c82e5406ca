/** Whether labs have the programs of container engines, and seeing to it: as guests.mjs does for what guests boot from. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { cacheFolder, entries } from './guests.mjs';
import { SetupError, say } from './report.mjs';

/** Relative to the project's folder. */
const preparing = ['dist/harness/cli/main.js', 'lab', 'prepare', '--engines'];

/**
 * Whether the programs have been unpacked.
 * @param {string} [cache]
 */
export function enginesArePrepared(cache = cacheFolder()) {
  return entries(path.join(cache, 'engines')).length > 0;
}

/**
 * Fetches and unpacks them, if need be.
 * @param {string} root the project's folder, which has been built
 * @param {{ mayInstall: boolean, cache?: string | undefined }} options
 * @throws {SetupError} when that fails; what the command says about it has been shown
 */
export function prepareEngines(root, { mayInstall, cache = cacheFolder() }) {
  if (enginesArePrepared(cache)) return;
  const line = 'npx macvlab lab prepare --engines';
  if (!mayInstall) {
    say(`labs have no container engines yet, so that experiments with docker, podman and CNI are skipped (${line})`);
    return;
  }
  say(
    'labs have no container engines yet; fetching docker, podman and the CNI plugins from Debian’s archive, once: ' +
      `130 MB to fetch, 650 MB in ${cache}; nothing is installed on this machine`,
  );
  const { status, error } = spawnSync(process.execPath, preparing, { cwd: root, stdio: ['ignore', 2, 2] });
  if (!error && status === 0) return;
  throw new SetupError(
    `container engines could not be prepared: ${error?.message ?? `exit status ${status}`}`,
    `do what \`next\` says above, then run: ${line}`,
  );
}
