/**
 * Labs that were left running: one state file each, with the data that another process needs to reach the lab and to
 * end it. {@link stateFolder} is their folder. A state contains the lab's private key, so only the owner can access the
 * folder and its files.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { takeClaim, withClaims } from '../../core/claim.js';
import { MacvlabError, messageOf } from '../../core/error.js';
import { timeout, poll } from '../../core/wait.js';
import { identify, isRunning, type ProcessIdentity } from '../../core/process-identity.js';

/** A detached lab. */
export interface DetachedLab {
  name: string;
  /** Name of its driver. */
  driver: string;
  /** Kernel release of the machine that holds its nodes. */
  kernel: string;
  /** ISO 8601, UTC. */
  created: string;
  /** The lab's holder: the lab ends when this process ends. */
  keeper: ProcessIdentity;
  /** The process that contains the lab, if there is one on this machine: the sandbox's init. */
  init?: ProcessIdentity;
  /** The data that its driver needs to attach to it. */
  state: unknown;
  /** Whether it still runs. */
  alive: boolean;
}

/** A file in the state folder that is not the state of a lab. */
export interface DamagedState {
  file: string;
  why: string;
}

const identity = z.object({ pid: z.number().int().positive(), startTime: z.number() });

const detachedSchema = z.object({
  schema: z.literal(1),
  driver: z.string(),
  kernel: z.string(),
  created: z.string(),
  keeper: identity,
  init: identity.exactOptional(),
  state: z.unknown(),
});

/** If a lab is a process of this machine, its driver records the process in the state. */
const stateWithInit = z.looseObject({ init: z.number().int().positive() });

/** If a lab has files besides its state, its driver records their folder in the state. */
const stateWithFolder = z.looseObject({ folder: z.string() });

/** The folder of state files: MACVLAB_STATE; else, for users other than root, `macvlab` in XDG_RUNTIME_DIR; else /run/macvlab. */
export function stateFolder(): string {
  const { MACVLAB_STATE: own, XDG_RUNTIME_DIR: user } = process.env;
  return resolve(own || (process.geteuid?.() !== 0 && user ? join(user, 'macvlab') : '/run/macvlab'));
}

/**
 * Creates a folder in the state folder, for files of a lab that may be detached. It records this process, so that
 * macvlab can identify the folder as a leftover when the process is gone.
 * @throws errors of the file system
 */
export function makeLabFolder(): string {
  makeStateFolder();
  const folder = mkdtempSync(join(stateFolder(), folderPrefix));
  writeFileSync(join(folder, ownerFile), JSON.stringify(identify(process.pid)));
  return folder;
}

/** Removes such a folder. */
export function removeLabFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

const folderPrefix = 'vm-';
const ownerFile = 'owner';

/** Records a process that belongs to a lab's folder. It is ended when the folder is found without a creator and without a state. */
export function noteProcess(folder: string, pid: number): void {
  const process = identify(pid);
  if (process) writeFileSync(join(folder, `${pid}${processFile}`), JSON.stringify(process));
}

const processFile = '.process';

/** Ends the recorded processes of a folder, unless their ids now belong to other processes. */
function endNoted(folder: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith(processFile))) {
    const noted = readIdentity(join(folder, name));
    if (noted && isRunning(noted)) process.kill(noted.pid, 'SIGKILL');
  }
}

/**
 * Removes the folders of labs that no state names and whose creator is gone, and ends their processes; returns the
 * number of folders. QEMU ends by itself after its creator, but not while its guest still boots.
 */
export function removeLostFolders(): number {
  const known = new Set(listDetached().map(({ state }) => stateWithFolder.safeParse(state).data?.folder));
  const folders = stateFiles().filter((name) => name.startsWith(folderPrefix) && !name.endsWith('.json'));
  const lost = folders
    .map((name) => join(stateFolder(), name))
    .filter((folder) => !known.has(folder) && isAbandoned(folder));
  for (const folder of lost) {
    endNoted(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  return lost.length;
}

function isAbandoned(folder: string): boolean {
  const owner = readIdentity(join(folder, ownerFile));
  return owner !== undefined && !isRunning(owner);
}

/** Undefined if the file is missing or incomplete: its writer has only begun, or has died. */
function readIdentity(file: string): ProcessIdentity | undefined {
  try {
    return identity.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Ends the use of a lab by other processes. It runs on, because this process holds it. */
export function withdrawDetached({ name }: Pick<DetachedLab, 'name'>): void {
  rmSync(stateFile(name), { force: true });
}

/** Removes a lab's state file, and the folder of its files if it is in the state folder. */
function removeState({ name, state }: Pick<DetachedLab, 'name' | 'state'>): void {
  const folder = stateWithFolder.safeParse(state).data?.folder;
  if (folder !== undefined && dirname(resolve(folder)) === stateFolder())
    rmSync(folder, { recursive: true, force: true });
  rmSync(stateFile(name), { force: true });
}

/** The file of a lab's state. */
export function stateFile(name: string): string {
  return join(stateFolder(), `${name}.json`);
}

/**
 * Refuses an invalid name, and the name of a running lab.
 * @throws MacvlabError USAGE
 */
export function checkFree(name: string): void {
  checkName(name);
  if (listDetached().some((kept) => kept.alive && kept.name === name)) throw nameTaken(name);
}

/** The data of a lab that is about to be detached. */
export interface NewDetached extends Pick<DetachedLab, 'driver' | 'kernel' | 'state'> {
  /** By default the first free name of lab1, lab2 and so on. */
  name?: string | undefined;
  /** Id of the process that holds the lab. */
  holder: number;
}

/**
 * Writes the state of a lab that is being detached. It replaces the state of a dead lab with the same name. On failure
 * it ends the holder, and so the lab, because no command could find it; unless the holder is this process.
 * @throws MacvlabError USAGE when a running lab has that name; LAB_OPEN when the lab is gone or nothing can be written
 */
export async function writeDetached({ name, ...lab }: NewDetached): Promise<DetachedLab> {
  const holder = identify(lab.holder);
  try {
    for (let number = 1; ; number++) {
      const kept = await writeUnlessTaken(name ?? `lab${number}`, holder, lab);
      if (kept) return kept;
      if (name !== undefined) throw nameTaken(name);
    }
  } catch (error) {
    if (holder && holder.pid !== process.pid) kill(holder);
    throw error;
  }
}

/** All labs with a state file, including dead ones, by name. @throws MacvlabError NOT_ROOT when the folder is another user's */
export function listDetached(): DetachedLab[] {
  return readStates().labs;
}

/** Files in the state folder that cannot be read as a lab's state. @throws as {@link listDetached} */
export function listDamaged(): DamagedState[] {
  return readStates().damaged;
}

/**
 * A running lab: the one with this name, or the only one.
 * @throws MacvlabError LAB_UNKNOWN when there is none; USAGE when several run and none is named
 */
export function findDetached(name?: string): DetachedLab {
  const running = listDetached().filter(({ alive }) => alive);
  const names = running.map((kept) => kept.name).join(', ');
  const [only, ...others] = name === undefined ? running : running.filter((kept) => kept.name === name);
  if (only && others.length === 0) return only;
  if (only) {
    throw new MacvlabError('USAGE', `several labs are running: ${names}`, { next: 'choose one with --name' });
  }
  throw new MacvlabError('LAB_UNKNOWN', name === undefined ? 'no lab is running' : `no lab named ${name} is running`, {
    evidence: names && `running: ${names}`,
    next: names
      ? 'choose one of these with --name, or begin one with `macvlab lab up`'
      : 'begin one with `macvlab lab up`',
  });
}

/**
 * Ends a detached lab by ending its holder, unless the holder's id now belongs to another process. Waits until the lab
 * is gone and removes its state file.
 * @throws MacvlabError NOT_ROOT when this user may not end it; WAIT_DEADLINE when it does not end
 */
export async function endDetached(kept: DetachedLab): Promise<void> {
  if (isRunning(kept.keeper)) kill(kept.keeper);
  const processes = [kept.keeper, ...(kept.init ? [kept.init] : [])];
  const remaining = () => processes.filter(isRunning);
  await poll(() => Promise.resolve(remaining().length === 0 || undefined), {
    what: `lab ${kept.name} to end`,
    deadline: timeout(10_000),
    evidence: () =>
      `still running: ${remaining()
        .map(({ pid }) => `process ${pid}`)
        .join(', ')}`,
    next: 'another process holds the lab’s standard input, perhaps the run that made it: end that one first',
  });
  removeState(kept);
}

/** Removes the state files of labs that no longer run, and returns these labs. It never changes a running lab. */
export async function removeStale(): Promise<DetachedLab[]> {
  if (listDetached().every(({ alive }) => alive)) return [];
  // Checked again: a lab that is being detached at this moment may take over a name.
  return withClaims(stateFolder(), () => {
    const dead = listDetached().filter(({ alive }) => !alive);
    for (const kept of dead) removeState(kept);
    return dead;
  });
}

/**
 * Refuses an invalid name; the name is also part of a file's name.
 * @throws MacvlabError USAGE
 */
function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return;
  throw new MacvlabError('USAGE', `"${name}" cannot be the name of a lab`, {
    next: 'use up to 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit',
  });
}

function kill({ pid }: ProcessIdentity): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    throw new MacvlabError('NOT_ROOT', `the lab’s holder (process ${pid}) cannot be ended: ${messageOf(error)}`, {
      next: 'run the same command with sudo',
      cause: error,
    });
  }
}

/** Writes a whole state file, accessible only to its owner; undefined when a running lab has the name. */
async function writeUnlessTaken(
  name: string,
  holder: ProcessIdentity | undefined,
  { driver, kernel, state }: NewDetached,
): Promise<DetachedLab | undefined> {
  checkName(name);
  const initPid = stateWithInit.safeParse(state).data?.init;
  const init = initPid === undefined ? undefined : identify(initPid);
  if (!holder || (initPid !== undefined && !init)) {
    throw new MacvlabError('LAB_OPEN', 'the lab ended while it was being kept', { next: 'try again' });
  }
  const kept = { driver, kernel, created: new Date().toISOString(), keeper: holder, ...(init && { init }), state };
  const file = stateFile(name);
  try {
    makeStateFolder();
    const text = `${JSON.stringify({ schema: 1, ...kept }, null, 2)}\n`;
    const { taken } = await takeClaim(file, text, (found) => {
      const known = parseState(found, file, name);
      return !('why' in known) && known.alive;
    });
    return taken ? { name, ...kept, alive: true } : undefined;
  } catch (error) {
    if (error instanceof MacvlabError) throw error;
    throw new MacvlabError('LAB_OPEN', `the lab’s state cannot be written to ${file}`, {
      evidence: messageOf(error),
      next: 'set MACVLAB_STATE to a folder that you may write',
      cause: error,
    });
  }
}

function makeStateFolder(): void {
  const folder = stateFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== process.geteuid?.()) throw new Error(`${folder} belongs to user ${uid}, and would hold a private key`);
  if ((mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

function readStates(): { labs: DetachedLab[]; damaged: DamagedState[] } {
  const labs: DetachedLab[] = [];
  const damaged: DamagedState[] = [];
  // A name with a leading dot is an incomplete file whose writer has died.
  for (const file of stateFiles().filter((name) => name.endsWith('.json') && !name.startsWith('.'))) {
    const read = readState(join(stateFolder(), file), file.slice(0, -'.json'.length));
    if ('why' in read) damaged.push(read);
    else labs.push(read);
  }
  return { labs: labs.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })), damaged };
}

function stateFiles(): string[] {
  try {
    return readdirSync(stateFolder());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new MacvlabError('NOT_ROOT', `the labs’ states in ${stateFolder()} cannot be read: ${messageOf(error)}`, {
      next: 'run the same command with sudo, as the labs were made',
      cause: error,
    });
  }
}

function readState(file: string, name: string): DetachedLab | DamagedState {
  try {
    return parseState(readFileSync(file, 'utf8'), file, name);
  } catch (error) {
    return { file, why: messageOf(error) };
  }
}

function parseState(text: string, file: string, name: string): DetachedLab | DamagedState {
  try {
    const parsed = detachedSchema.safeParse(JSON.parse(text));
    if (!parsed.success) return { file, why: z.prettifyError(parsed.error) };
    const { schema: _, ...kept } = parsed.data;
    const alive = isRunning(kept.keeper) && (kept.init === undefined || isRunning(kept.init));
    return { name, ...kept, alive };
  } catch (error) {
    return { file, why: messageOf(error) };
  }
}

function nameTaken(name: string): MacvlabError {
  return new MacvlabError('USAGE', `a lab named ${name} is running already`, {
    next: `choose another name, or end it with \`macvlab lab down --name ${name}\``,
  });
}
