/** Reads a run that can be exported. */
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MacvlabError } from '../../core/error.js';
import { readRun } from '../../run/read-run.js';
import type { RunResults } from '../../run/record.js';

/**
 * Reads a run that has ended.
 * @throws MacvlabError USAGE if the folder does not exist or is that of a matrix, if the run has not ended, and for damaged
 *   files
 */
export async function readEndedRun(folder: string): Promise<RunResults> {
  // "latest" may point to another run before this one is read.
  const path = existsSync(folder) ? realpathSync(folder) : resolve(folder);
  if (!existsSync(path)) {
    throw new MacvlabError('USAGE', `there is no run in ${path}`, {
      next: 'make a run with `macvlab run`, or name the folder of one, such as reports/latest',
    });
  }
  if (!existsSync(join(path, 'run.json'))) throw notARun(path);
  const results = await readRun(path);
  if (results.run.endedAt === undefined) {
    throw new MacvlabError('USAGE', `the run in ${path} has not ended`, {
      evidence: `${results.records.length} of ${results.run.planned} planned tests have a record`,
      next: 'wait until it ends, and export it then; if it was killed, make the run again',
    });
  }
  return results;
}

function notARun(path: string): MacvlabError {
  if (existsSync(join(path, 'matrix.json'))) {
    return new MacvlabError('USAGE', `${path} is a matrix of several runs`, {
      next: `export each of its runs: the folders ${join(path, 'kernels', '*', '*')}`,
    });
  }
  return new MacvlabError('USAGE', `${path} has no run.json, so it is not the folder of a run`, {
    next: 'name the folder of a run, such as reports/latest',
  });
}
