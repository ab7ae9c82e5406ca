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
 * @param {() => T | Promise<T>} work
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
 * @param {() => T | Promise<T>} work
 * @param {() => void} [waits] called when another process has the lock
 * @returns {Promise<T>}
 */
export async function withFolderLock(kind, folder, work, waits = () => undefined) {
  const name = nameOf(kind, folder);
  let held = await hold(name);
  if (!held) waits();
  while (!held) {
    await released(name);
    held = await hold(name);
  }
  try {
    return await work();
  } finally {
    held.release();
  }
}

/**
 * The set-up that is at work in a checkout.
 * @param {string} root the project's folder
 * @returns {Promise<{ end: Promise<void> } | undefined>} end: resolves when it has ended; undefined where none is at work
 */
export async function setUpAtWork(root) {
  return connected(nameOf('setup', root));
}

/**
 * @param {string} kind
 * @param {string} folder
 */
function nameOf(kind, folder) {
  // the same folder has the same device and inode under each of its paths, in a container too
  const { dev, ino } = statSync(folder);
  return `\0macvlab-${kind}-${dev}-${ino}`;
}

/**
 * @param {string} name
 * @returns {Promise<{ release(): void } | undefined>} undefined when somebody else holds it
 */
function hold(name) {
  return new Promise((resolve, reject) => {
    /** @type {Set<net.Socket>} */
    const visitors = new Set();
    const server = net.createServer((visitor) => {
      visitor.on('error', () => undefined).on('close', () => visitors.delete(visitor));
      // one that was let in at the last moment must not wait for more
      if (!server.listening) visitor.destroy();
      else visitors.add(visitor);
    });
    const release = () => {
      server.close();
      for (const visitor of visitors) visitor.destroy();
    };
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(name, () => resolve({ release }));
  });
}

/**
 * Resolves when the holder has let go, or there is none.
 * @param {string} name
 */
async function released(name) {
  await (
    await connected(name)
  )?.end;
}

/**
 * Connects to the holder, which ends the connection when it lets go.
 * @param {string} name
 * @returns {Promise<{ end: Promise<void> } | undefined>} undefined where there is none
 */
function connected(name) {
  return new Promise((resolve) => {
    const visitor = net.connect(name);
    /** @type {Promise<void>} */
    const end = new Promise((ended) => visitor.once('close', () => ended()));
    visitor.on('error', () => resolve(undefined));
    visitor.once('connect', () => resolve({ end }));
  });
}
