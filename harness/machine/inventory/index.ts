/** The inventory driver as a module. Its labs end with the process that creates them, so they cannot be detached. */
import { formatError } from '../../core/error.js';
import type { DriverModule, Leftover } from '../driver-module.js';
import { inventoryDriver } from './inventory.js';
import { clearHosts } from './restore/leftovers.js';
import type { Restored } from './restore/restore.js';

export const driver: DriverModule = {
  load: ({ inventory: file, ...rest }) => inventoryDriver({ ...rest, ...(file !== undefined && { file }) }),
  leftovers: async (options) =>
    (await clearHosts(options))
      .filter(({ undone, failure }) => undone > 0 || failure)
      .map((restored) => leftover(restored, options)),
};

function leftover({ host, undone, run, file, failure }: Restored, { dryRun }: { dryRun: boolean }): Leftover {
  const changes = `${undone} ${undone === 1 ? 'change' : 'changes'} of a run that is gone`;
  const are = dryRun ? 'would be' : undone === 1 ? 'is' : 'are';
  return {
    ...(undone > 0 && { line: `${host}: ${changes} ${are} taken back (${run})` }),
    ...(failure && {
      trouble: `${host} is not as it was: ${formatError(failure)}\nthe journal stays: ${file}`,
      failed: true,
    }),
  };
}
