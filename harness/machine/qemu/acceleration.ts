/**
 * Whether guests can run on the processor itself (KVM). A process that can open /dev/kvm proves little: nested in
 * another guest, a kernel may hang with it. So macvlab boots a small guest with KVM once, and stores the result for
 * this machine.
 */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, hostname, release } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder } from '../../core/cache.js';
import { MacvlabError, messageOf } from '../../core/error.js';
import { Guest, type GuestOptions } from './guest.js';
import type { Accelerator } from './qemu.js';

export interface Acceleration {
  kind: Accelerator;
  /** The reason, as macvlab prints it: "it was tried, and a guest boots". */
  why: string;
}

const remembered = z.object({ machine: z.string(), kind: z.enum(['kvm', 'tcg']), why: z.string() });

/** Milliseconds for the probe to start its init: 20 times the time with KVM. */
const probeDeadline = 8000;

/** The result, if it is available without booting a guest. */
export function knownAcceleration(): Acceleration | undefined {
  const device = '/dev/kvm';
  if (!existsSync(device)) return { kind: 'tcg', why: 'this machine has no /dev/kvm' };
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
  } catch {
    return { kind: 'tcg', why: '/dev/kvm may not be opened by this user' };
  }
  try {
    const known = remembered.parse(JSON.parse(readFileSync(answerFile(), 'utf8')));
    return known.machine === thisMachine() ? { kind: known.kind, why: known.why } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The result; boots a guest if it is not available yet.
 * @param probe the guest to boot; it is ended as soon as its kernel has started its init
 * @param remark called with a line about a slow step
 */
export async function acceleration(
  probe: Pick<GuestOptions, 'kernel' | 'initramfs' | 'root'>,
  remark: (line: string) => void = () => undefined,
): Promise<Acceleration> {
  const known = knownAcceleration();
  if (known) return known;
  remark(`trying whether a guest boots with KVM (once; ${probeDeadline / 1000} s at most)`);
  const found = await tryKvm(probe);
  remember(found);
  return found;
}

async function tryKvm(probe: Pick<GuestOptions, 'kernel' | 'initramfs' | 'root'>): Promise<Acceleration> {
  const guest = Guest.start({
    ...probe,
    name: 'the KVM probe',
    accelerator: 'kvm',
    processors: 1,
    memory: 256,
    ports: [],
  });
  try {
    const alive = () => /^macvlab: /m.test(guest.console.text) || undefined;
    await guest.console.changes.until(alive, { what: 'a guest to boot with KVM', deadline: probeDeadline });
    return { kind: 'kvm', why: 'it was tried, and a guest boots' };
  } catch (error) {
    const hung = error instanceof MacvlabError && error.code === 'WAIT_DEADLINE';
    const why = hung ? 'a guest hung' : messageOf(error).replace(/^.* is gone: /, '');
    return { kind: 'tcg', why: `KVM was tried: ${why}` };
  } finally {
    await guest.close();
  }
}

function answerFile(): string {
  return join(cacheFolder(), 'acceleration.json');
}

/** If one of these changes, the result may change. */
function thisMachine(): string {
  return [hostname(), cpus()[0]?.model, release()].join(', ');
}

/** If the result cannot be written, the next run probes again. */
function remember(answer: Acceleration): void {
  try {
    mkdirSync(cacheFolder(), { recursive: true });
    const unfinished = `${answerFile()}.${process.pid}`;
    writeFileSync(unfinished, `${JSON.stringify({ machine: thisMachine(), ...answer })}\n`);
    renameSync(unfinished, answerFile());
  } catch {
    return;
  }
}
