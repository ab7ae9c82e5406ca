/** Removes the leftovers of killed runs on hosts: changes of their own networks, which journals on this machine record. */
import { newKeyPair } from '../../../remote/keys.js';
import { reach } from '../reach/reach.js';
import { leftJournals, type Reach, type Restored, restoreHosts } from './restore.js';

/** Reaches a host to restore it. */
export const reachToRestore: Reach = (address) => {
  const keys = { host: newKeyPair(), user: newKeyPair() };
  return reach(address, { keys });
};

/**
 * Reverts the changes that ended runs have left on hosts; a dry run only counts them.
 * @throws MacvlabError if the journals cannot be read; the result of an unreachable host has a `failure` instead
 */
export async function clearHosts({ dryRun }: { dryRun: boolean }): Promise<Restored[]> {
  if (!dryRun) return restoreHosts({ reach: reachToRestore });
  return leftJournals().flatMap(({ run, file, hosts, due }) =>
    hosts.map(({ address: { name } }) => {
      const undone = due.filter(({ host }) => host === name).length;
      return { run, file, host: name, undone };
    }),
  );
}
