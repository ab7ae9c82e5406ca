/** Who performs a matrix: two that performed the same one would do everything twice. */
import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { takeClaim } from '../core/claim.js';
import { MacvlabError } from '../core/error.js';
import { writing } from '../core/report-files.js';
import { identify, isRunning } from '../lab/process-identity.js';

/** In a matrix's folder while it is being performed: which process does it. */
const mark = '.performing';

const holder = z.object({ machine: z.string(), pid: z.int(), startTime: z.number() });

/**
 * Claims a matrix for this process.
 * @returns what gives it back
 * @throws MacvlabError USAGE naming the process that performs it already; OUT_NOT_WRITABLE
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

/** Whether the holder runs; one on another machine may. */
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
    // Its writer was killed in the middle.
    return undefined;
  }
}
