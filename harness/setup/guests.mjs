/**
 * Whether guests have what they boot from, and seeing to it. Found by looking at the cache's folders alone, since every run
 * begins with it: `macvlab lab prepare` does the work, and knows exactly.
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { SetupError } from './report.mjs';

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
 * @param {import('./machine.mjs').Machine} machine
 * @param {{ cache?: string | undefined, task: import('./progress.mjs').Task, onFetch?: () => void }} options onFetch: called when it is
 *   known what is to be fetched
 * @throws {SetupError} when that fails; what the command says about it has been shown
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
 * Runs `macvlab lab prepare`, and follows what it reports.
 * @param {string} root
 * @param {import('./machine.mjs').Machine} machine
 * @param {string[]} options
 * @param {import('./progress.mjs').Task} task
 * @param {() => void} [onFetch]
 * @returns {Promise<string | undefined>} how it failed; its output has been shown
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
