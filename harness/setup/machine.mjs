/** The machine on which the set-up runs: its program folders, its user and its processor. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {object} Machine
 * @property {string[]} folders where programs are searched, in this order
 * @property {boolean} root whether this process may install packages by itself
 * @property {string} architecture of its processor, in Node's notation: 'x64'
 * @property {string} files the prefix of every absolute path: '/', or a folder of fake system files in tests
 */

/** Searched besides PATH: an unprivileged user's PATH often lacks sbin, which contains ip, bridge and sshd. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** Applets of these have the names ping, arping, ip or nsenter, but lack `ping -p`, `ip -j` and more that a lab needs. */
const multiCallPrograms = new Set(['busybox', 'busybox.static', 'bbsuid', 'toybox']);

/** @returns {Machine} this machine */
export function thisMachine() {
  return {
    folders: searchFolders(process.env['PATH'] ?? ''),
    root: process.getuid?.() === 0,
    architecture: process.arch,
    files: '/',
  };
}

/**
 * The folders of a PATH and the system's own, each once.
 * @param {string} searchPath
 */
export function searchFolders(searchPath) {
  return [
    ...new Set([...searchPath.split(path.delimiter).filter((folder) => path.isAbsolute(folder)), ...systemFolders]),
  ];
}

/**
 * A program's file; undefined if it is not installed, or only as a busybox applet.
 * @param {string} name
 * @param {string[]} [folders]
 * @returns {string | undefined}
 */
export function findProgram(name, folders = thisMachine().folders) {
  return folders.map((folder) => path.join(folder, name)).find(isFullProgram);
}

/** @param {string} file */
function isFullProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() && !multiCallPrograms.has(path.basename(realpathSync(file)));
  } catch {
    return false;
  }
}
