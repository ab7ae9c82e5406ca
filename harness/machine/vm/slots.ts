/**
 * Slots: connections to a detached lab of guests. A slot is a serial port, which QEMU connects to a socket file. Each
 * node has several, so that several commands can run at a time. For each slot, a loop in the guest waits until a client
 * has connected, and then starts sshd.
 */
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { takeClaim } from '../../core/claim.js';
import { MacvlabError, messageOf } from '../../core/error.js';
import { timeout, within } from '../../core/wait.js';
import { makeLabFolder } from '../detached/detached-labs.js';
import { identify, isRunning, type ProcessIdentity } from '../../core/process-identity.js';

/** The name of a slot begins with the name of its session: "node1.2". A device has 30 ports, and a guest at most 6 sessions. */
const slotsPerSession = 3;

/** Creates a folder for the socket files of a lab, accessible only to this user. @throws MacvlabError LAB_OPEN */
export function makeSlotFolder(): string {
  try {
    return makeLabFolder();
  } catch (error) {
    throw new MacvlabError('LAB_OPEN', `a lab cannot be kept: ${messageOf(error)}`, {
      next: 'name a folder that you may write in the environment’s MACVLAB_STATE',
      cause: error,
    });
  }
}

/** The slots of a session. */
export function slotsOf(session: string): string[] {
  return Array.from({ length: slotsPerSession }, (_, index) => `${session}.${index + 1}`);
}

/** The socket file of a slot. */
export function slotFile(folder: string, slot: string): string {
  return join(folder, slot);
}

/**
 * Takes a free slot, and connects to it.
 * @param session "machine", "node1"
 * @throws MacvlabError REMOTE_CONNECT when all are in use, or the lab is gone
 */
export async function takeSlot(folder: string, session: string): Promise<Socket> {
  for (const slot of slotsOf(session)) {
    const lock = `${slotFile(folder, slot)}.lock`;
    const own = JSON.stringify(identify(process.pid));
    if (!(await takeClaim(lock, own, isHeld)).taken) continue;
    const socket = connect(slotFile(folder, slot));
    socket.once('close', () => rmSync(lock, { force: true }));
    const connected = new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    try {
      await within(connected, { what: `a connection with ${session}`, deadline: timeout(5000) });
      return socket;
    } catch (error) {
      socket.destroy();
      throw new MacvlabError('REMOTE_CONNECT', `${session} cannot be reached: ${messageOf(error)}`, {
        next: 'look with `macvlab lab status` whether the lab still runs',
        cause: error,
      });
    }
  }
  throw new MacvlabError('REMOTE_CONNECT', `all ${slotsPerSession} ways to ${session} are in use`, {
    next: 'end one of the commands that use this lab: a shell, a capture',
  });
}

/** Whether a lock's text names a running process; an incomplete text names none. */
function isHeld(text: string): boolean {
  try {
    return isRunning(JSON.parse(text) as ProcessIdentity);
  } catch {
    return false;
  }
}
