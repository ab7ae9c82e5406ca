/**
 * The claim on the machines of this checkout, of which there is one set. It is stored next to Vagrant's own state, so
 * that a later run finds the claim of a killed run.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { takeClaim, type Taking } from '../../core/claim.js';
import { MacvlabError, messageOf } from '../../core/error.js';
import { timeout, poll } from '../../core/wait.js';
import { mayBeAlive, ownerSchema, thisOwner } from '../detached/owner.js';
import { identify, isRunning, type ProcessIdentity } from '../../core/process-identity.js';
import { packageFolder } from './package-folder.js';

const identity = z.object({ pid: z.number(), startTime: z.number() });

const schema = ownerSchema.extend({
  /** Whether the owner created the machines; otherwise, it found them. */
  made: z.boolean(),
  /** The Vagrant that starts them: if the owner is killed, it removes half-created machines, and ends a little later. */
  vagrant: identity.exactOptional(),
});

export type Claim = z.infer<typeof schema>;

function folder(): string {
  return resolve(packageFolder, process.env['VAGRANT_DOTFILE_PATH'] ?? '.vagrant');
}

const file = () => join(folder(), 'macvlab.json');

/**
 * Claims the machines for this process.
 * @returns the claim that a killed owner has left
 * @throws MacvlabError LAB_OPEN if a running process has them, or if the claim is damaged or cannot be written
 */
export async function claimMachines(): Promise<Claim | undefined> {
  const own = JSON.stringify({ ...thisOwner(), made: false });
  const taking = await claimFile(own).catch((error: unknown) => {
    if (error instanceof MacvlabError) throw error;
    throw new MacvlabError('LAB_OPEN', `the machines’ state cannot be written: ${messageOf(error)}`, {
      next: `see that ${folder()} can be written, or name another folder in VAGRANT_DOTFILE_PATH`,
      cause: error,
    });
  });
  if (taking.taken) return taking.left === undefined ? undefined : parse(taking.left);
  throw new MacvlabError(
    'LAB_OPEN',
    `the Vagrant machines of this checkout are in use by process ${parse(taking.by).owner.pid}`,
    {
      next: `wait until it has ended; \`macvlab lab status\` and \`macvlab lab down\` for a lab that was kept; or use another checkout. When nobody has them (a container that is gone): rm ${file()}`,
    },
  );
}

async function claimFile(own: string): Promise<Taking> {
  mkdirSync(folder(), { recursive: true });
  return takeClaim(file(), own, (text) => mayBeAlive(parse(text)));
}

/** Waits until the Vagrant of a killed owner has ended as well. @throws MacvlabError WAIT_DEADLINE */
export async function vagrantEnd({ vagrant }: Claim): Promise<void> {
  if (!vagrant) return;
  const gone = async () => Promise.resolve(isRunning(vagrant) ? undefined : true);
  await poll(gone, {
    what: `process ${vagrant.pid}, the Vagrant of a run that was killed, to end`,
    deadline: timeout(120_000),
    next: `wait until it has ended, and try again`,
  });
}

/** @throws MacvlabError LAB_OPEN if it is damaged */
export function readClaim(): Claim | undefined {
  let text: string;
  try {
    text = readFileSync(file(), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw damaged(error);
  }
  return parse(text);
}

function parse(text: string): Claim {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(error);
  }
}

function damaged(error: unknown): MacvlabError {
  return new MacvlabError(
    'LAB_OPEN',
    `nobody can tell who uses the Vagrant machines of this checkout: ${file()} is damaged`,
    {
      evidence: messageOf(error),
      next: `see that no other macvlab is at work here; then rm ${file()}`,
      cause: error,
    },
  );
}

/** Records that this process creates the machines, which Vagrant starts them, or that another process owns them from now on. */
export function updateClaim(change: Partial<Claim>): void {
  const claim = readClaim();
  if (!claim) return;
  writeFileSync(`${file()}.new`, JSON.stringify({ ...claim, ...change }));
  renameSync(`${file()}.new`, file());
}

export function releaseClaim(): void {
  rmSync(file(), { force: true });
}

/** The identity of a process: a holder, or Vagrant. */
export function identityOf(pid: number): ProcessIdentity {
  return identify(pid) ?? { pid, startTime: 0 };
}
