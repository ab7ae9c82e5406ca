/** What killed runs have left on hosts: changes of their own networks, which a journal on this machine tells of. */
import { newKeyPair } from '../../remote/keys.js';
import { reach } from './reach.js';
import { leftJournals, type Reach, type Restored, restoreHosts } from './restore.js';

/** Reaches a host to restore it. */
export const reachToRestore: Reach = (address) => {
  const keys = { host: newKeyPair(), user: newKeyPair() };
  return reach(address, { keys });
};

/**
 * Takes back what runs that are gone have changed of hosts; or only says what would be.
 * @throws MacvlabError when the journals cannot be read; that a host cannot be reached is told of that host
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
