/** What is on a host that lies still. */
import { expect } from 'chai';
import { patience, poll } from '../../core/wait.js';
import type { HostName, Hosts } from './hosts.test-support.js';

/** What is on a host once what was there before has ended: its own addresses are settled, processes of the last test gone. */
export async function settledTraces(hosts: Hosts, name: HostName): Promise<string> {
  let last = '';
  return poll(
    async () => {
      const now = await hosts.traces(name);
      const same = now === last && !now.includes('tentative');
      last = now;
      return same ? now : undefined;
    },
    { what: `${name} to settle`, deadline: patience(30_000) },
  );
}

/**
 * Waits until what is on hosts is again what it was before.
 * @param deadline milliseconds
 * @throws AssertionError with the difference
 */
export async function asBefore(before: string, traces: () => Promise<string>, deadline: number): Promise<void> {
  let now = before;
  const look = async () => ((now = await traces()) === before ? true : undefined);
  await poll(look, { what: 'hosts to be as before', deadline: patience(deadline) }).catch((error: unknown) => {
    expect(now).to.equal(before);
    throw error;
  });
}
