/** One lab at a time on a host's network card, whoever runs it from wherever. */
import { MacvlabError } from '../../core/error.js';
import { patience, within } from '../../core/wait.js';
import type { Session } from '../../remote/session.js';

/**
 * Claims a network card until the session ends: a lock on what the kernel says of it, held by a process of the lab, so that nothing
 * is ever left of it (flock(2)).
 * @throws MacvlabError HOST_NIC when another lab has it, or it is not there; REMOTE_DEAD, WAIT_DEADLINE
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
  // Nobody waits for it any more when the claim stands.
  refused.catch(() => undefined);
  const answer = await within(Promise.race([held, refused]), {
    what: `${session.name}’s ${nic} to be claimed`,
    deadline: patience(30_000),
  });
  if (answer) return;
  throw new MacvlabError('HOST_NIC', `${nic} of ${session.name} is in use by another lab`, {
    evidence: words,
    next: `wait until that lab has ended; one whose connection was lost ends by itself within two minutes. Who has it: ssh to the host, then lsof /sys/class/net/${nic}/ifindex`,
  });
}
