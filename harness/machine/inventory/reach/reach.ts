/** Reaches a real host: opens a root session in its own network. The end of the connection ends everything there. */
import { accessSync, constants } from 'node:fs';
import { MacvlabError } from '../../../core/error.js';
import { timeout, pause, within } from '../../../core/wait.js';
import { Session } from '../../../remote/session.js';
import { packageManagerNames } from '../../../setup/tools.mjs';
import { begin, type Tether, tether, type TetherScript, serveInside } from '../../../remote/tether.js';
import type { LabKeys } from '../../../remote/sshd.js';
import { enter } from '../../../remote/ssh-way.js';
import { type HostAddress, placeOf } from '../file/machine.js';
import { connectionVariable, lostAfter, wayTo } from './ssh-command.js';
import { readable, sshFailure } from './ssh-failure.js';

/** Seconds without a sign of life from macvlab after which a host ends the lab. */
const silence = 120;

export interface ReachOptions {
  keys: LabKeys;
  /** Network namespaces to create there, below /run/netns of the lab’s own mount namespace. */
  namespaces?: readonly string[];
  signal?: AbortSignal | undefined;
}

/** The result of a command outside of the lab. */
export interface OutsideResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A reached host. */
export interface ReachedHost {
  readonly name: string;
  readonly address: HostAddress;
  /** A root session in the host’s own network; its files below /run belong to the lab. */
  readonly session: Session;
  /** The output of its `uname -r`. */
  readonly release: string;
  /** The connection’s client address and host address, as the host sees them; undefined if it does not report them. */
  readonly connection: { from: string; to: string } | undefined;
  /** Opens another session, in a namespace that the lab has created there. @throws MacvlabError HOST_*, REMOTE_CONNECT */
  connect(name: string, namespace: string): Promise<Session>;
  /**
   * Runs a command as root outside of the lab, over a separate connection. Its background processes outlive the lab.
   * @throws MacvlabError HOST_*
   */
  outside(argv: readonly string[], options?: { stdin?: string }): Promise<OutsideResult>;
  /** Ends all sessions and the lab there, and waits until the host has removed it; idempotent. */
  close(): Promise<void>;
}

/**
 * Reaches a host, and changes nothing of its own. Everything that it creates there is on a tmpfs, or in namespaces that
 * end with the connection.
 * @throws MacvlabError HOST_UNREACHABLE, HOST_KEY, HOST_REFUSED, HOST_SUDO, HOST_LACKS; TOOL_MISSING if this machine
 * has no ssh
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
    await pause(timeout(10_000), held.held.ended);
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

/** The script that runs on a host before anything else. */
export function hostScript({ name }: HostAddress, { keys, namespaces = [] }: ReachOptions): TetherScript {
  return {
    name,
    keys,
    namespaces,
    managers: packageManagerNames,
    // claim.ts claims NICs with it
    needs: ['flock'],
    more: [`echo "connection $${connectionVariable}"`],
    silence: Math.ceil(timeout(silence * 1000) / 1000),
  };
}

/** Creates a lab’s namespaces on a host, and holds them; opens no session yet. */
async function hold(
  address: HostAddress,
  { keys, namespaces, signal }: Required<Omit<ReachOptions, 'signal'>> & { signal: AbortSignal | undefined },
): Promise<Tether> {
  const held = enter(wayTo(address), tether());
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
  { held, init }: Tether,
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
      separateProcesses: true,
      stderrTail: entered.words,
      carrier: entered.ended,
      deathCause: () => (open ? lost(address, `${held.words()}${entered.words()}`) : undefined),
    });
    open = true;
    return session;
  } catch (error) {
    entered.child.kill('SIGKILL');
    const words = entered.words();
    // Status 255 is ssh’s own (ssh(1)): no sshd was started on the host.
    throw /ended with status 255$/m.test(words) ? await failureOf(address, words, error) : error;
  }
}

/** Runs a command over a separate connection. */
async function outside(address: HostAddress, argv: readonly string[], stdin: string): Promise<OutsideResult> {
  const entered = enter(wayTo(address), argv);
  let stdout = '';
  entered.socket.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  entered.socket.on('error', () => undefined);
  entered.socket.end(stdin);
  try {
    await within(entered.ended, { what: `${argv.join(' ')} on ${address.name}`, deadline: timeout(60_000) });
  } finally {
    entered.child.kill('SIGKILL');
  }
  const status = entered.child.exitCode;
  if (status === 255) throw await failureOf(address, entered.words());
  return { status, stdout, stderr: entered.words() };
}

/** The error for a host that was not reached. For an unknown key it adds the fingerprint, which ssh prints only at DEBUG1. */
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

/** Checks that the key file is readable: ssh does not report a missing key, only the refusal. */
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

/** Parses "connection 10.0.0.2 51234 10.0.0.11 22", which sshd provides (ssh(1), SSH_CONNECTION). */
export function connectionIn(said: string): { from: string; to: string } | undefined {
  const [, from, to] = /^connection (\S+) \d+ (\S+) \d+$/m.exec(said) ?? [];
  return from === undefined || to === undefined ? undefined : { from, to };
}
