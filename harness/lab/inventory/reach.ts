/** Reaching a real host: a root session in its own network, held by one connection, with whose end all of it goes. */
import { accessSync, constants } from 'node:fs';
import { MacvlabError } from '../../core/error.js';
import { patience, pause, within } from '../../core/wait.js';
import { Session } from '../../remote/session.js';
import { packageManagerNames } from '../../setup/tools.mjs';
import { begin, type Lifeline, lifeline, type LifelineScript, serveInside } from '../lifeline.js';
import type { LabKeys } from '../sshd.js';
import { enter } from '../ssh-way.js';
import { type HostAddress, placeOf } from './machine.js';
import { connectionVariable, lostAfter, wayTo } from './ssh-command.js';
import { readable, sshFailure } from './ssh-failure.js';

/** Seconds without a word from us after which a host ends the lab by itself. */
const silence = 120;

export interface ReachOptions {
  keys: LabKeys;
  /** Network namespaces that are made there, below /run/netns of the lab’s own mount namespace. */
  namespaces?: readonly string[];
  signal?: AbortSignal | undefined;
}

/** What a command outside of the lab has come to. */
export interface OutsideResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A host that is held. */
export interface ReachedHost {
  readonly name: string;
  readonly address: HostAddress;
  /** Root’s, in the host’s own network; its files below /run are the lab’s. */
  readonly session: Session;
  /** What its `uname -r` says. */
  readonly release: string;
  /** From which address to which of its own the connection comes, as the host sees it; undefined where it does not say. */
  readonly connection: { from: string; to: string } | undefined;
  /** Another session, in a namespace that the lab has made there. @throws MacvlabError HOST_*, REMOTE_CONNECT */
  connect(name: string, namespace: string): Promise<Session>;
  /**
   * Runs a command as root outside of the lab, over a connection of its own: what it starts in the background stays when the lab ends.
   * @throws MacvlabError HOST_*
   */
  outside(argv: readonly string[], options?: { stdin?: string }): Promise<OutsideResult>;
  /** Ends all sessions and the lab there, and waits until the host has taken it all down; idempotent. */
  close(): Promise<void>;
}

/**
 * Reaches a host. Nothing of its own is changed; what is made there is on a tmpfs, and in namespaces that end with the connection.
 * @throws MacvlabError HOST_UNREACHABLE, HOST_KEY, HOST_REFUSED, HOST_SUDO, HOST_LACKS; TOOL_MISSING where this machine has no ssh
 */
export async function reach(address: HostAddress, options: ReachOptions): Promise<ReachedHost> {
  const { keys, namespaces = [], signal } = options;
  signal?.throwIfAborted();
  checkIdentity(address);
  const held = await hold(address, { keys, namespaces, signal });
  const sessions: Session[] = [];
  let closing: Promise<void> | undefined;
  const end = async () => {
    for (const session of sessions) session.close();
    held.held.socket.end();
    await pause(patience(10_000), held.held.ended);
    held.held.child.kill('SIGKILL');
  };
  const connect = async (name: string, namespace?: string) => {
    const session = await serve(address, held, keys, name, namespace);
    sessions.push(session);
    return session;
  };
  const close = () => (closing ??= end());
  try {
    const session = await connect(address.name);
    signal?.addEventListener('abort', () => void close(), { once: true });
    signal?.throwIfAborted();
    return {
      name: address.name,
      address,
      session,
      release: held.release,
      connection: connectionIn(held.said),
      connect,
      outside: (argv, { stdin = '' } = {}) => outside(address, argv, stdin),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What is performed on a host before anything else. */
export function hostScript({ name }: HostAddress, { keys, namespaces = [] }: ReachOptions): LifelineScript {
  return {
    name,
    keys,
    namespaces,
    managers: packageManagerNames,
    // cards are claimed with it (claim.ts)
    needs: ['flock'],
    more: [`echo "connection $${connectionVariable}"`],
    silence: Math.ceil(patience(silence * 1000) / 1000),
  };
}

/** A host that holds a lab’s namespaces, but with which no session is open yet. */
async function hold(
  address: HostAddress,
  { keys, namespaces, signal }: Required<Omit<ReachOptions, 'signal'>> & { signal: AbortSignal | undefined },
): Promise<Lifeline> {
  const held = enter(wayTo(address), lifeline());
  try {
    return await begin(held, hostScript(address, { keys, namespaces }), { signal });
  } catch (error) {
    signal?.throwIfAborted();
    await pause(2000, held.ended);
    held.child.kill('SIGKILL');
    throw await failureOf(address, held.words(), error);
  }
}

async function serve(
  address: HostAddress,
  { held, init }: Lifeline,
  keys: LabKeys,
  name: string,
  namespace: string | undefined,
): Promise<Session> {
  const entered = enter(wayTo(address), serveInside(init, namespace));
  let open = false;
  try {
    const session = await Session.open({
      name,
      transport: entered.socket,
      user: 'root',
      privateKey: keys.user.private,
      hostKey: keys.host.public,
      deadline: 60_000,
      lastWords: entered.words,
      carrier: entered.ended,
      obituary: () => (open ? lost(address, `${held.words()}${entered.words()}`) : undefined),
    });
    open = true;
    return session;
  } catch (error) {
    entered.child.kill('SIGKILL');
    const words = entered.words();
    // Status 255 is ssh’s own (ssh(1)): the host was not even asked for an sshd.
    throw /ended with status 255$/m.test(words) ? await failureOf(address, words, error) : error;
  }
}

/** Runs a command over a connection of its own. */
async function outside(address: HostAddress, argv: readonly string[], stdin: string): Promise<OutsideResult> {
  const entered = enter(wayTo(address), argv);
  let stdout = '';
  entered.socket.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  entered.socket.on('error', () => undefined);
  entered.socket.end(stdin);
  try {
    await within(entered.ended, { what: `${argv.join(' ')} on ${address.name}`, deadline: patience(60_000) });
  } finally {
    entered.child.kill('SIGKILL');
  }
  const status = entered.child.exitCode;
  if (status === 255) throw await failureOf(address, entered.words());
  return { status, stdout, stderr: entered.words() };
}

/** The failure to reach a host; of an unknown key, with its fingerprint, which ssh only tells to who asks for all. */
async function failureOf(address: HostAddress, words: string, cause?: unknown): Promise<MacvlabError> {
  const failure = sshFailure(address, words, cause);
  if (failure.code !== 'HOST_KEY' || /fingerprint for the/i.test(words)) return failure;
  const asked = enter(wayTo(address, 'DEBUG1'), ['true']);
  asked.socket.on('error', () => undefined).end();
  await pause(lostAfter(), asked.ended);
  asked.child.kill('SIGKILL');
  const shown = [...asked.words().matchAll(/Server host key: (\S+) (\S+)/g)].at(-1);
  if (!shown) return failure;
  return new MacvlabError('HOST_KEY', failure.message, {
    evidence:
      `${failure.evidence ?? ''}\nThe fingerprint of the ${shown[1]} key that was presented is\n${shown[2]}`.trim(),
    next: failure.next,
    cause,
  });
}

function lost(address: HostAddress, words: string): MacvlabError {
  return new MacvlabError('HOST_LOST', `the connection with ${address.name} (${placeOf(address)}) was lost`, {
    evidence: readable(words),
    next: 'what the lab had made there goes by itself within two minutes; when the host answers again: macvlab gc --lab inventory, which takes back what was changed of the host’s own',
  });
}

/** ssh says nothing of a key that is not there, but only that it was refused. */
function checkIdentity({ name, identity }: HostAddress): void {
  if (identity === undefined) return;
  try {
    accessSync(identity, constants.R_OK);
  } catch (error) {
    throw new MacvlabError('HOST_REFUSED', `${name} is to be asked with the key ${identity}, which cannot be read`, {
      next: `look for it: ls -l ${identity}`,
      cause: error,
    });
  }
}

/** "connection 10.0.0.2 51234 10.0.0.11 22": what sshd says about it (ssh(1), SSH_CONNECTION). */
export function connectionIn(said: string): { from: string; to: string } | undefined {
  const [, from, to] = /^connection (\S+) \d+ (\S+) \d+$/m.exec(said) ?? [];
  return from === undefined || to === undefined ? undefined : { from, to };
}
