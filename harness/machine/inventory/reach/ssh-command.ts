/** The ssh command that reaches a host. The user’s own configuration applies, except where it would endanger the lab. */
import { timeout } from '../../../core/wait.js';
import { quoteCommand } from '../../../remote/quote.js';
import type { SshWay } from '../../../remote/ssh-way.js';
import type { HostAddress } from '../file/machine.js';

/** The environment variable on a host with the ends of its SSH connection: "10.0.0.2 51234 10.0.0.11 22" (ssh(1)). */
export const connectionVariable = 'MACVLAB_CONNECTION';

/** Seconds between signs of life, and how many may stay unanswered. */
const alive = { interval: 5, count: 4 };

/** Milliseconds after which ssh gives up a connection without answers. */
export function lostAfter(): number {
  return timeout(alive.interval * 1000) * alive.count;
}

/**
 * ssh accepts only host keys from known_hosts; it never prompts, and never adds a key. It does not share the connection
 * with others, because its end ends the lab there.
 */
function security({ knownHosts }: HostAddress): string[] {
  return settings({
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    BatchMode: 'yes',
    ControlMaster: 'no',
    ControlPath: 'none',
    ConnectTimeout: String(Math.ceil(timeout(20_000) / 1000)),
    ...(knownHosts !== undefined && { UserKnownHostsFile: file(knownHosts) }),
  });
}

/** Overrides settings of a user’s ssh_config that help in manual work but would disturb macvlab. */
const plain = {
  ClearAllForwardings: 'yes',
  ForwardAgent: 'no',
  ForwardX11: 'no',
  PermitLocalCommand: 'no',
  RemoteCommand: 'none',
  RequestTTY: 'no',
};

/** Quotes a file’s name for a setting: a space would end it, and a percent sign would start a token (ssh_config(5)). */
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
 * The settings that connect through the jump hosts. `ssh -J` does not work: it applies none of these settings to the
 * jump hosts (ssh(1)).
 * @param level the log level of each ssh
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
  // ssh replaces %h and %p with its own destination. In a nested command, the ssh of that hop must replace them.
  const [before, behind] = [quoteCommand(command), quoteCommand([host.replace(/^\[|\]$/g, '')])];
  const words = `${before.replaceAll('%', '%%')} -W '[%h]:%p' ${behind.replaceAll('%', '%%')}`;
  return settings({ ProxyCommand: words });
}

/** Arguments of ssh that reach a host. @param level the log level: ERROR, or DEBUG1 */
function sshArguments(address: HostAddress, level = 'ERROR'): string[] {
  const { port, user, jump } = address;
  const hops = jump?.split(',') ?? [];
  const interval = String(Math.ceil(timeout(alive.interval * 1000) / 1000));
  return [
    ...security(address),
    ...identity(address),
    // Otherwise ssh tries each key of the agent first, and a server accepts only a few (sshd_config(5), MaxAuthTries).
    ...(address.identity === undefined ? [] : settings({ IdentitiesOnly: 'yes' })),
    ...settings({ ...plain, LogLevel: level }),
    ...settings({ ServerAliveInterval: interval, ServerAliveCountMax: String(alive.count) }),
    ...throughHosts(address, hops, level),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
  ];
}

/** Passes SSH_CONNECTION on, because sudo removes it. LC_ALL=C makes sudo’s messages English, as ssh-failure.ts needs them. */
const environment = `LC_ALL=C; export LC_ALL; set -- env "${connectionVariable}=$SSH_CONNECTION" "$@"`;

/** The message of a host whose user is not root and must not use sudo. */
export const notRoot = 'macvlab: not root';

/** The way to a host; without sudo if the user is root there already. */
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
