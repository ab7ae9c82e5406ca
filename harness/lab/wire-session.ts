/** A session whose packets go over the lab's own wire, to see whether it survives what is done to that wire. */
import { MacvlabError } from '../core/error.js';
import { poll } from '../core/wait.js';
import { Session } from '../remote/session.js';
import type { Lab } from './lab.js';
import type { Node } from './node.js';
import { addressOf } from './station.js';

/** No sshd of a host's own listens here. */
const port = 20_022;

/**
 * Lets an sshd listen on a node's address inside the lab, connects to it from another node, and opens a session over that
 * connection. Everything of it ends with the current scope.
 * @throws MacvlabError WAIT_DEADLINE when nothing listens there; REMOTE_CONNECT
 */
export async function sessionOverTheWire(lab: Lab, from: Node, to: Node): Promise<Session> {
  const address = addressOf(to, 4, from);
  const { server, user, privateKey, hostKey } = lab.machines.ssh;
  const listener = await to.stack.start(
    [...server, '-D', '-o', `ListenAddress=${address}`, '-p', String(port)],
    'harness',
  );
  lab.scopes.current.defer(`sshd on ${address}`, () => to.stack.session.signal('TERM', [listener]));
  const connect = async () => {
    try {
      return await from.stack.session.tunnel(address, port);
    } catch (error) {
      // sshd needs some milliseconds until it listens; the deadline tells when it never will.
      if (error instanceof MacvlabError && error.code === 'REMOTE_CONNECT') return undefined;
      throw error;
    }
  };
  const transport = await poll(connect, { what: `sshd to listen on ${address}`, deadline: lab.patience(10_000) });
  const name = `${to.name} over the wire`;
  const { slowness } = to.stack.session;
  const session = await Session.open({ name, transport, user, privateKey, hostKey, slowness });
  session.translation = to.stack.session.translation;
  lab.scopes.current.defer(`session with ${to.name} over the wire`, () => session.close());
  return session;
}
