/**
 * One process at a time in a folder: one set-up in a checkout, one that takes a claim. The lock is a socket in Linux's abstract namespace: the kernel drops it when its
 * holder ends, however that ends, so that there is nothing stale to detect, and waiting for it is waiting for an event.
 */
import { statSync } from 'node:fs';
import net from 'node:net';
import { say } from './report.mjs';

/**
 * Does work while no other set-up of this checkout does, and returns its result.
 * @template T
 * @param {string} root the project's folder
 * @param {() => T} work
 * @returns {Promise<T>}
 */
export function withLock(root, work) {
  return withFolderLock('setup', root, work, () =>
    say('another set-up is at work in this checkout; waiting for it to end'),
  );
}

/**
 * Does work while no other process does work of this kind in a folder, and returns its result.
 * @template T
 * @param {string} kind "setup"
 * @param {string} folder
 * @param {() => T} work
 * @param {() => void} [waits] called when another process has the lock
 * @returns {Promise<T>}
 */
export async function withFolderLock(kind, folder, work, waits = () => undefined) {
  // the same folder has the same device and inode under each of its paths, in a container too
  const { dev, ino } = statSync(folder);
  const name = `\0macvlab-${kind}-${dev}-${ino}`;
  let held = await hold(name);
  if (!held) waits();
  while (!held) {
    await released(name);
    held = await hold(name);
  }
  try {
    return work();
  } finally {
    held.close();
  }
}

/**
 * @param {string} name
 * @returns {Promise<net.Server | undefined>} undefined when somebody else holds it
 */
function hold(name) {
  return new Promise((resolve, reject) => {
    // a visitor that was let in before we let go must not wait for more
    const server = net.createServer((visitor) => visitor.destroy());
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(name, () => resolve(server));
  });
}

/**
 * Resolves when the holder has let go: our connection to it, which it never accepts while it works, is reset by then.
 * @param {string} name
 * @returns {Promise<void>}
 */
function released(name) {
  return new Promise((resolve) => {
    const visitor = net.connect(name);
    visitor.on('error', () => undefined);
    visitor.on('close', () => resolve());
  });
}
