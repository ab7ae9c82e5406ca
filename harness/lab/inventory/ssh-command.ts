/** The ssh command that reaches a host: what the user’s own configuration says counts, except where it would endanger the lab. */
import { patience } from '../../core/wait.js';
import { quoteCommand } from '../../remote/quote.js';
import type { SshWay } from '../ssh-way.js';
import type { HostAddress } from './machine.js';

/** The environment’s name, on a host, of what sshd says about a connection there: "10.0.0.2 51234 10.0.0.11 22" (ssh(1)). */
export const connectionVariable = 'MACVLAB_CONNECTION';

/** Seconds between signs of life, and how many may go unanswered. */
const alive = { interval: 5, count: 4 };

/** Milliseconds after which a connection that answers no more is given up. */
export function lostAfter(): number {
  return patience(alive.interval * 1000) * alive.count;
}

/**
 * A host key is what known_hosts says, or there is no connection: nothing is ever accepted, asked for, or added. No connection is
 * shared with others, since its end is the end of the lab there.
 */
function security({ knownHosts }: HostAddress): string[] {
  return settings({
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    BatchMode: 'yes',
    ControlMaster: 'no',
    ControlPath: 'none',
    ConnectTimeout: String(Math.ceil(patience(20_000) / 1000)),
    ...(knownHosts !== undefined && { UserKnownHostsFile: file(knownHosts) }),
  });
}

/** What may stand in a user’s ssh_config for working by hand, and would be in our way. */
const plain = {
  ClearAllForwardings: 'yes',
  ForwardAgent: 'no',
  ForwardX11: 'no',
  PermitLocalCommand: 'no',
  RemoteCommand: 'none',
  RequestTTY: 'no',
};

/** A file’s name as a setting takes it: a space would end it, and a per cent sign begin a token (ssh_config(5)). */
function file(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function identity(address: HostAddress): string[] {
  return address.identity === undefined ? [] : settings({ IdentityFile: file(address.identity) });
}

/**
 * The command that leads through the hosts on the way. `ssh -J` would not do: none of what is said here would count there (ssh(1)).
 * @param level what each ssh tells of itself
 */
function throughHosts(address: HostAddress, hops: readonly string[], level: string): string[] {
  const last = hops.at(-1);
  if (last === undefined) return [];
  const [, user, host = '', port] = /^(?:(.*)@)?(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(last) ?? [];
  const command = [
    'ssh',
    ...security(address),
    ...identity(address),
    ...settings({ ...plain, LogLevel: level, ServerAliveInterval: '0' }),
    ...throughHosts(address, hops.slice(0, -1), level),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', port]),
  ];
  // ssh puts its own destination where %h and %p are; within the command of a hop further out these are that hop’s to replace.
  const [before, behind] = [quoteCommand(command), quoteCommand([host.replace(/^\[|\]$/g, '')])];
  const words = `${before.replaceAll('%', '%%')} -W '[%h]:%p' ${behind.replaceAll('%', '%%')}`;
  return settings({ ProxyCommand: words });
}

/** Arguments of ssh that reach a host. @param level what ssh tells of itself: ERROR, or DEBUG1 */
function sshArguments(address: HostAddress, level = 'ERROR'): string[] {
  const { port, user, jump } = address;
  const hops = jump?.split(',') ?? [];
  const interval = String(Math.ceil(patience(alive.interval * 1000) / 1000));
  return [
    ...security(address),
    ...identity(address),
    // Else each key of the agent’s is tried first, and a server hears only some of them (sshd_config(5), MaxAuthTries).
    ...(address.identity === undefined ? [] : settings({ IdentitiesOnly: 'yes' })),
    ...settings({ ...plain, LogLevel: level }),
    ...settings({ ServerAliveInterval: interval, ServerAliveCountMax: String(alive.count) }),
    ...throughHosts(address, hops, level),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
  ];
}

/** Where the connection has come from is handed on: sudo takes it out of the environment. In English, so that sudo is understood. */
const environment = `LC_ALL=C; export LC_ALL; set -- env "${connectionVariable}=$SSH_CONNECTION" "$@"`;

/** Said by a host whose user would need sudo, and is not to use it. */
export const notRoot = 'macvlab: not root';

/** The way to a host. Whoever is root there already needs no sudo. */
export function wayTo(address: HostAddress, level?: string): SshWay {
  const otherwise = address.sudo ? 'set -- sudo -n -- "$@"' : `{ echo "${notRoot}" >&2; exit 1; }`;
  return {
    name: address.name,
    need: 'is the way to the hosts',
    options: sshArguments(address, level),
    destination: address.host,
    asRoot: ['sh', '-c', `${environment}; [ "$(id -u)" = 0 ] || ${otherwise}; exec "$@"`, 'sh'],
  };
}
