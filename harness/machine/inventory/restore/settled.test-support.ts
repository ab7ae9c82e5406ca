/** Waits until a host no longer changes, or is the same as before. */
import { expect } from 'chai';
import { timeout, poll } from '../../../core/wait.js';
import type { HostName, Hosts } from '../hosts.test-support.js';

/** A host's traces when they no longer change: no address is tentative, and the processes of the last test have ended. */
export async function settledTraces(hosts: Hosts, name: HostName): Promise<string> {
  let last = '';
  return poll(
    async () => {
      const now = await hosts.traces(name);
      const same = now === last && !now.includes('tentative');
      last = now;
      return same ? now : undefined;
    },
    { what: `${name} to settle`, deadline: timeout(30_000) },
  );
}

/**
 * Waits until the traces of hosts are the same as before.
 * @param deadline milliseconds
 * @throws AssertionError with the difference
 */
export async function asBefore(before: string, traces: () => Promise<string>, deadline: number): Promise<void> {
  let now = before;
  const look = async () => ((now = await traces()) === before ? true : undefined);
  await poll(look, { what: 'hosts to be as before', deadline: timeout(deadline) }).catch((error: unknown) => {
    expect(now).to.equal(before);
    throw error;
  });
}
