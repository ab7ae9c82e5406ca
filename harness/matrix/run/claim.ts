/** The claim on a matrix: two processes that run the same one would do everything twice. */
import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { takeClaim } from '../../core/claim.js';
import { MacvlabError } from '../../core/error.js';
import { writing } from '../../core/report-files.js';
import { identify, isRunning } from '../../core/process-identity.js';

/** A file in a matrix's folder while the matrix runs. It names the process. */
const mark = '.performing';

const holder = z.object({ machine: z.string(), pid: z.int(), startTime: z.number() });

/**
 * Claims a matrix for this process.
 * @returns a function that releases the claim
 * @throws MacvlabError USAGE naming the process that already runs it; OUT_NOT_WRITABLE
 */
export async function claimMatrix(folder: string): Promise<() => void> {
  const file = join(folder, mark);
  const own = JSON.stringify({ machine: hostname(), ...identify(process.pid) });
  const taking = await takeClaim(file, own, isHeld).catch((error: unknown) => {
    return writing(folder, () => {
      throw error as Error;
    });
  });
  if (!taking.taken) throw claimed(folder, file, taking.by);
  return () => rmSync(file, { force: true });
}

/** Whether the holder runs; a holder on another machine counts as running. */
function isHeld(text: string): boolean {
  const found = holderIn(text);
  return found !== undefined && (found.machine !== hostname() || isRunning(found));
}

function claimed(folder: string, file: string, text: string): MacvlabError {
  const { machine = '', pid = 0 } = holderIn(text) ?? {};
  const isHere = machine === hostname();
  return new MacvlabError('USAGE', `${folder} is being performed by process ${pid}${isHere ? '' : ` of ${machine}`}`, {
    next: isHere ? 'wait until it has ended' : `wait until it has ended; if it is gone already, remove ${file}`,
  });
}

function holderIn(text: string): z.infer<typeof holder> | undefined {
  try {
    return holder.parse(JSON.parse(text));
  } catch {
    // Its writer was killed during the write.
    return undefined;
  }
}
