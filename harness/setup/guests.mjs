/**
 * Checks for the kernel and root image of guests, and makes them. The check reads only the cache's folders, since every
 * run begins with it. `macvlab lab prepare` does the work, and checks exactly.
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { SetupError } from './report.mjs';

/** Equals `defaultKernel` in harness/kernel/debian/catalogue.ts, which is not built yet at this point. */
export const defaultSeries = '6.12';

/** Makes the kernel, and everything else that guests boot from; relative to the project's folder. */
const preparing = ['dist/harness/cli/main.js', 'lab', 'prepare'];

/** The same as in harness/core/cache.ts. */
export function cacheFolder({ MACVLAB_CACHE: own, XDG_CACHE_HOME: user } = process.env) {
  if (own) return own;
  return path.join(user?.startsWith('/') ? user : path.join(homedir(), '.cache'), 'macvlab');
}

/**
 * Whether a kernel and a root image exist.
 * @param {string} [cache]
 */
export function guestsArePrepared(cache = cacheFolder()) {
  return (
    entries(path.join(cache, 'kernels')).some((name) => name.startsWith(`${defaultSeries}.`)) &&
    entries(path.join(cache, 'root-images')).length > 0
  );
}

/**
 * The complete entries of a folder of the cache.
 * @param {string} folder
 */
export function entries(folder) {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.endsWith('.part')) : [];
}

/**
 * Fetches and builds the kernel and root image of guests, if necessary.
 * @param {string} root the project's folder, which has been built
 * @param {import('./machine.mjs').Machine} machine
 * @param {{ cache?: string | undefined, task: import('./progress.mjs').Task, onFetch?: () => void }} options onFetch:
 *   called when the command has reported what it fetches
 * @throws {SetupError} if that fails; the command's output about it has been shown
 */
export async function prepareGuests(root, machine, { cache = cacheFolder(), task, onFetch = () => undefined }) {
  if (guestsArePrepared(cache)) return;
  const failure = await prepare(root, machine, ['--images'], task, onFetch);
  if (failure === undefined) return task.ends();
  throw new SetupError(
    `guests could not be prepared: ${failure}`,
    'do what `next` says above, then run: npx macvlab lab prepare',
  );
}

/**
 * Runs `macvlab lab prepare`, and follows its reports.
 * @param {string} root
 * @param {import('./machine.mjs').Machine} machine
 * @param {string[]} options
 * @param {import('./progress.mjs').Task} task
 * @param {() => void} [onFetch]
 * @returns {Promise<string | undefined>} the failure; its output has been shown
 */
export async function prepare(root, machine, options, task, onFetch) {
  task.says('reads the lists of packages');
  const node = { ...machine, folders: [path.dirname(process.execPath), ...machine.folders] };
  const failure = await runCommand([path.basename(process.execPath), ...preparing, ...options], node, {
    cwd: root,
    environment: { MACVLAB_PROGRESS: 'percent' },
    onLine(line) {
      const [, what, megabytes] = /(?:^|: )(fetching .*) \((\d+) MB\)$/.exec(line) ?? [];
      const [, percent] = /… (\d+) %$/.exec(line) ?? [];
      if (what !== undefined) {
        onFetch?.();
        task.downloads(what, Number(megabytes) * 1e6);
      } else if (percent !== undefined) task.reaches(Number(percent) / 100);
      else task.prints(line);
    },
  });
  if (failure !== undefined) task.fails(failure);
  return failure;
}
