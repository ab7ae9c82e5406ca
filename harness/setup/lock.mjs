/**
 * A lock for one process at a time in a folder: one set-up in a checkout, one process that takes a claim. The lock is a
 * socket in Linux's abstract namespace. The kernel drops it when its holder ends, even if the holder is killed. So
 * there are no stale locks, and a waiting process waits for an event.
 */
import { statSync } from 'node:fs';
import net from 'node:net';
import { say } from './report.mjs';

/**
 * Runs work while no other set-up of this checkout runs, and returns its result.
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
 * Runs work while no other process runs work of this kind in a folder, and returns its result.
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
 * The set-up that is running in a checkout.
 * @param {string} root the project's folder
 * @returns {Promise<{ end: Promise<void> } | undefined>} end: resolves when it has ended; undefined if none is running
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
 * @returns {Promise<{ release(): void } | undefined>} undefined if another process holds it
 */
function hold(name) {
  return new Promise((resolve, reject) => {
    /** @type {Set<net.Socket>} */
    const visitors = new Set();
    const server = net.createServer((visitor) => {
      visitor.on('error', () => undefined).on('close', () => visitors.delete(visitor));
      // a visitor that was accepted at the last moment must not wait any longer
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
 * Resolves when the holder has released the lock, or there is no holder.
 * @param {string} name
 */
async function released(name) {
  await (
    await connected(name)
  )?.end;
}

/**
 * Connects to the holder, which closes the connection when it releases the lock.
 * @param {string} name
 * @returns {Promise<{ end: Promise<void> } | undefined>} undefined if there is no holder
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
