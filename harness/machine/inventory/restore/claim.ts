/** Allows only one lab at a time on a host’s NIC, from any machine and any user. */
import { MacvlabError } from '../../../core/error.js';
import { timeout, within } from '../../../core/wait.js';
import type { Session } from '../../../remote/session.js';

/**
 * Claims a NIC until the session ends. A process of the lab holds a lock on the NIC’s ifindex file in sysfs, so no
 * claim outlives the lab (flock(2)).
 * @throws MacvlabError HOST_NIC if another lab has it, or if it is missing; REMOTE_DEAD, WAIT_DEADLINE
 */
export async function claimNic(session: Session, nic: string): Promise<void> {
  const hold = ['sh', '-c', 'echo held; exec cat >/dev/null'];
  const process = await session.start(['flock', '-n', `/sys/class/net/${nic}/ifindex`, ...hold]);
  let words = '';
  process.stderr.setEncoding('utf8').on('data', (text: string) => (words += text));
  const held = new Promise<true>((resolve) => {
    process.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('held')) resolve(true);
    });
  });
  const refused = process.ended.then(() => false as const);
  // After a successful claim, no code waits for it.
  refused.catch(() => undefined);
  const answer = await within(Promise.race([held, refused]), {
    what: `${session.name}’s ${nic} to be claimed`,
    deadline: timeout(30_000),
  });
  if (answer) return;
  throw new MacvlabError('HOST_NIC', `${nic} of ${session.name} is in use by another lab`, {
    evidence: words,
    next: `wait until that lab has ended; one whose connection was lost ends by itself within two minutes. Who has it: ssh to the host, then lsof /sys/class/net/${nic}/ifindex`,
  });
}
