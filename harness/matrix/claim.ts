/** Who performs a matrix: two that performed the same one would do everything twice. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
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
export function claimMatrix(folder: string): () => void {
  const file = join(folder, mark);
  const own = JSON.stringify({ machine: hostname(), ...identify(process.pid) });
  while (!writing(folder, () => create(file, own))) {
    refuseClaimed(folder, file);
    // Whoever had it was killed.
    rmSync(file, { force: true });
  }
  return () => rmSync(file, { force: true });
}

/** Whether the file was made, because there was none. */
function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function refuseClaimed(folder: string, file: string): void {
  const found = readHolder(file);
  if (!found) return;
  const { machine, pid } = found;
  const isHere = machine === hostname();
  if (isHere && !isRunning(found)) return;
  throw new MacvlabError('USAGE', `${folder} is being performed by process ${pid}${isHere ? '' : ` of ${machine}`}`, {
    next: isHere ? 'wait until it has ended' : `wait until it has ended; if it is gone already, remove ${file}`,
  });
}

function readHolder(file: string): z.infer<typeof holder> | undefined {
  try {
    return holder.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Gone meanwhile, or its writer was killed in the middle.
    return undefined;
  }
}
