/**
 * Saved states of guests: a guest is booted once, prepared, and its machine is saved in a file, from which later guests
 * resume. A state fits only the same QEMU with the same machine and images, so all of that is part of its name.
 */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { cpus, hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheEntry, cacheFolder, findEntry } from '../../core/cache.js';
import { takeClaim } from '../../core/claim.js';
import { MacvlabError, messageOf } from '../../core/error.js';
import { identify, isRunning, type ProcessIdentity } from '../../core/process-identity.js';
import { runProgram } from '../../core/program.js';
import { hostTool } from '../../core/host-tools.js';
import { Guest, type GuestOptions, type SavedMachine } from './guest.js';
import { qemuArguments } from './qemu.js';

/** Raised when these files save a different state of the same guest. */
const maker = 1;

/** The folder of states in the cache. */
const statesFolder = 'guest-states';
/** The files of an entry. */
const files = { memory: 'memory', console: 'console.txt', size: 'size' } as const;

/** Milliseconds: for the boot as in a lab, for the file, and until a state that did not resume is made again. */
const deadlines = { boot: 20_000, save: 60_000, again: 3_600_000 } as const;
/** States that are kept, and the milliseconds after which an unused one is removed: a week. */
const kept = { most: 16, unused: 604_800_000 } as const;

/** A guest, as it is before it gets anything of its own: no keys, no name. */
export interface StateRecipe {
  guest: Omit<GuestOptions, 'complaints' | 'savable' | 'state' | 'cards'> & { cards: number };
  /** The script that prepares it; it is part of the state. */
  script: readonly string[];
}

/** A state in the cache. */
export interface SavedState extends SavedMachine {
  /** Removes it, because a guest did not resume from it. It is not made again within an hour. */
  drop(): void;
}

/** The states that this process is making or has found, so that its labs share them. */
const known = new Map<string, Promise<SavedState | undefined>>();

/**
 * The state of a guest, which is made first if necessary.
 * @param remark called with a line about a slow step, or the reason why there is no state
 * @returns undefined if the guest must boot: another process is making the state, or it cannot be made
 * @throws MacvlabError GUEST_START when the guest does not boot
 */
export async function savedState(
  recipe: StateRecipe,
  remark: (line: string) => void = () => undefined,
): Promise<SavedState | undefined> {
  const name = stateName(recipe, await qemuVersion());
  const found = findState(name);
  if (found) return found;
  const making = known.get(name) ?? make(name, recipe, remark).finally(() => known.delete(name));
  known.set(name, making);
  return making;
}

/** The name of a state in the cache: a digest of all that determines it. @param version of QEMU */
export function stateName({ guest, script }: StateRecipe, version: string): string {
  const { name: _, ports, slots, cards, ...plan } = guest;
  const argv = qemuArguments({
    ...plan,
    // Descriptors, paths of sockets and MAC addresses are no part of a machine's state, or are changed after the resume.
    ...{ console: 0, ports: new Map(ports.map((port) => [port, 0])) },
    ...(slots && { slots: new Map([...slots.keys()].map((slot) => [slot, slot])) }),
    cards: Array.from({ length: cards }, () => ({ mac: '', fd: 0 })),
  });
  const images = [plan.kernel, plan.initramfs, plan.root, plan.engines].map((file) => {
    const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
    return stat && [stat.size, stat.mtimeMs];
  });
  const digest = createHash('sha256').update(JSON.stringify([maker, version, thisMachine(), argv, images, script]));
  return join(statesFolder, digest.digest('hex').slice(0, 16));
}

/**
 * Under TCG, a guest's time stamp counter is that of this machine. A guest that resumed on another one would keep the
 * frequency that its kernel has measured, and its clock would drift.
 */
function thisMachine(): string {
  return [hostname(), cpus()[0]?.model].join(', ');
}

/** A complete state in the cache. A damaged one is removed. */
function findState(name: string): SavedState | undefined {
  const folder = findEntry(name);
  if (folder === undefined) return undefined;
  try {
    const file = join(folder, files.memory);
    if (statSync(file).size !== Number(readFileSync(join(folder, files.size), 'utf8'))) throw new Error('not whole');
    const console = readFileSync(join(folder, files.console), 'utf8');
    noteUse(folder);
    return { file, console, drop: () => dropState(folder) };
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
}

/** The oldest states are removed first. In a cache that is read-only, none is removed. */
function noteUse(folder: string): void {
  try {
    const now = new Date();
    utimesSync(folder, now, now);
  } catch {
    return;
  }
}

function dropState(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
    writeFileSync(`${folder}.failed`, '');
  } catch {
    return;
  }
}

async function make(
  name: string,
  recipe: StateRecipe,
  remark: (line: string) => void,
): Promise<SavedState | undefined> {
  const folder = join(cacheFolder(), name);
  const failed = statSync(`${folder}.failed`, { throwIfNoEntry: false });
  if (failed && Date.now() - failed.mtimeMs < deadlines.again) return undefined;
  const claim = `${folder}.claim`;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    if (!(await takeClaim(claim, JSON.stringify(identify(process.pid)), isHeld)).taken) return undefined;
    try {
      const already = findState(name);
      if (already) return already;
      remark(`saving the state of ${recipe.guest.name}, from which later guests resume (once; 100 MB at most)`);
      await cacheEntry(name, (unfinished) => save(unfinished, recipe));
    } finally {
      rmSync(claim, { force: true });
    }
    removeUnused(dirname(folder));
    return findState(name);
  } catch (error) {
    if (error instanceof MacvlabError && error.code === 'GUEST_START') throw error;
    remark(`guests boot, because no state could be saved: ${messageOf(error)}`);
    dropState(folder);
    return undefined;
  }
}

/** Boots a guest, prepares it, and saves its machine in a folder. */
async function save(folder: string, { guest: plan, script }: StateRecipe): Promise<void> {
  const { cards, slots, ...rest } = plan;
  const sockets = slots && mkdtempSync(join(tmpdir(), 'macvlab-state-'));
  const guest = Guest.start({
    ...rest,
    savable: true,
    cards: Array.from({ length: cards }, (_, index) => ({ mac: `02:00:00:00:00:0${index + 1}` })),
    ...(slots && sockets && { slots: new Map([...slots.keys()].map((slot) => [slot, join(sockets, slot)])) }),
  });
  try {
    await guest.boot(script, deadlines.boot);
    const { file, console } = await guest.save(join(folder, files.memory), deadlines.save);
    writeFileSync(join(folder, files.console), console);
    writeFileSync(join(folder, files.size), String(statSync(file).size));
  } finally {
    await guest.close();
    if (sockets) rmSync(sockets, { recursive: true, force: true });
  }
}

/** Removes states that were not used for a week, and the oldest of too many. */
function removeUnused(parent: string): void {
  const entries = readdirSync(parent)
    .filter((name) => !name.includes('.part') && !name.endsWith('.claim'))
    .map((name) => ({
      path: join(parent, name),
      used: statSync(join(parent, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
    .sort((a, b) => b.used - a.used);
  for (const [index, { path, used }] of entries.entries()) {
    if (index >= kept.most || Date.now() - used > kept.unused) rmSync(path, { recursive: true, force: true });
  }
}

/** Whether a claim's text names a running process; an incomplete text names none. */
function isHeld(text: string): boolean {
  try {
    return isRunning(JSON.parse(text) as ProcessIdentity);
  } catch {
    return false;
  }
}

let version: Promise<string> | undefined;

/** The first line of `qemu-system-x86_64 --version`, with the distribution's revision. */
function qemuVersion(): Promise<string> {
  version ??= runProgram([hostTool('qemu-system-x86_64'), '--version'], {
    what: 'get QEMU’s version',
    next: 'reinstall QEMU',
  }).then((output) => output.toString().split('\n')[0] ?? '');
  return version;
}
