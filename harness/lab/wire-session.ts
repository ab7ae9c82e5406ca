/** A session whose packets use the lab's own wire, to see whether it survives changes to that wire. */
import { MacvlabError } from '../core/error.js';
import { poll } from '../core/wait.js';
import { Session } from '../remote/session.js';
import type { Scope } from '../core/scope.js';
import type { Machines } from '../machine/driver.js';
import type { Node } from './node.js';
import { addressOf } from '../exchange/station.js';

/** No sshd of a host's own uses this port. */
const port = 20_022;

/**
 * Starts an sshd on a node's address inside the lab, connects to it from another node, and opens a session over that
 * connection. All of it ends with the scope.
 * @throws MacvlabError WAIT_DEADLINE when nothing listens there; REMOTE_CONNECT
 */
export async function sessionOverTheWire(
  from: Node,
  to: Node,
  { scope, ssh }: { scope: Scope; ssh: Machines['ssh'] },
): Promise<Session> {
  const address = addressOf(to, 4, from);
  const { server, user, privateKey, hostKey } = ssh;
  const listener = await to.stack.start(
    [...server, '-D', '-o', `ListenAddress=${address}`, '-p', String(port)],
    'harness',
  );
  scope.defer(`sshd on ${address}`, () => to.stack.session.signal('TERM', [listener]));
  const connect = async () => {
    try {
      return await from.stack.session.tunnel(address, port);
    } catch (error) {
      // sshd needs some milliseconds before it listens. The deadline detects an sshd that never does.
      if (error instanceof MacvlabError && error.code === 'REMOTE_CONNECT') return undefined;
      throw error;
    }
  };
  const transport = await poll(connect, { what: `sshd to listen on ${address}`, deadline: to.stack.timeout(10_000) });
  const name = `${to.name} over the wire`;
  const { slowness } = to.stack.session;
  const session = await Session.open({ name, transport, user, privateKey, hostKey, slowness });
  session.translation = to.stack.session.translation;
  scope.defer(`session with ${to.name} over the wire`, () => session.close());
  return session;
}
