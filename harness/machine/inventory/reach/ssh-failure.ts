/** Explains why a host was not reached, from the messages of OpenSSH, sudo and the host’s own shell. */
import { type ErrorCode, MacvlabError } from '../../../core/error.js';
import { quoteCommand } from '../../../remote/quote.js';
import { installCommandWith } from '../../../setup/tools.mjs';
import { lacking } from '../../../remote/tether.js';
import { type HostAddress, placeOf } from '../file/machine.js';
import { notRoot } from './ssh-command.js';

interface Meaning {
  pattern: RegExp;
  code: ErrorCode;
  /** The text after “NAME (ops@10.0.0.11) ”. */
  means: (found: RegExpExecArray, address: HostAddress) => string;
  next: (found: RegExpExecArray, address: HostAddress) => string;
}

/** The command for a user to try by hand. */
function byHand({ port, user, identity, jump, knownHosts, host }: HostAddress): string {
  const given = [
    ...(knownHosts === undefined ? [] : ['-o', `UserKnownHostsFile=${knownHosts}`]),
    ...(identity === undefined ? [] : ['-i', identity]),
    ...(jump === undefined ? [] : ['-J', jump]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
  ];
  return quoteCommand(['ssh', ...given, host]);
}

/** The command that removes a host’s old key from known_hosts. */
function forget(key: string, { knownHosts }: HostAddress): string {
  return quoteCommand(['ssh-keygen', ...(knownHosts === undefined ? [] : ['-f', knownHosts]), '-R', key]);
}

/** The first match counts: a more general message often follows ssh’s first one. */
const meanings: readonly Meaning[] = [
  {
    pattern: /REVOKED HOST KEY DETECTED|host key for (\S+) was revoked|marked as revoked/i,
    code: 'HOST_KEY',
    means: () => 'presents a host key that known_hosts calls revoked',
    next: () => 'find out who answers there, and what has become of the host; nothing has been sent to it',
  },
  {
    pattern: /Host key for (\S+) has changed and you have requested strict checking/,
    code: 'HOST_KEY',
    means: ([, key = ''], address) =>
      `${passing(key, address)}presents another host key than the one that is known: the host was installed anew, or somebody else answers`,
    next: ([, key = ''], address) =>
      `ask on the host’s own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; only when it shows that fingerprint: ${forget(key, address)}, then ${byHand(address)}`,
  },
  {
    pattern: /No (\S+) host key is known for (\S+) and you have requested strict checking/,
    code: 'HOST_KEY',
    means: ([, type = '', key = ''], address) =>
      `${passing(key, address)}has a host key (${type}) that no known_hosts file names`,
    next: ([, type = ''], address) =>
      `ask on the host’s own console: ssh-keygen -lf /etc/ssh/ssh_host_${type.toLowerCase()}_key.pub; when it shows that fingerprint, accept it by hand: ${byHand(address)}`,
  },
  {
    pattern: /Host key verification failed|Certificate invalid/i,
    code: 'HOST_KEY',
    means: () => 'presents a host key that ssh does not accept',
    next: (_, address) => `see what ssh says: ${byHand(address)}`,
  },
  {
    pattern: /UNPROTECTED PRIVATE KEY FILE|Load key "([^"]*)": (?!.*passphrase)(.*)/,
    code: 'HOST_REFUSED',
    means: () => 'cannot be asked to let us in: the private key cannot be read, or may be read by others',
    next: (_, { identity = 'the key' }) => `look at the file: ls -l ${identity}; ssh-keygen -y -f ${identity}`,
  },
  {
    pattern: /(?:(\S+): )?Permission denied \(([^)]*)\)/,
    code: 'HOST_REFUSED',
    means: ([, who, methods = '']) =>
      `does not let ${who ?? 'this user'} in with the keys that were offered (it takes: ${methods})`,
    next: (_, address) =>
      `try it by hand: ${byHand(address)}; give the right user and identity, or unlock the key: ssh-add${address.identity === undefined ? '' : ` ${address.identity}`} (no password or passphrase is ever asked for)`,
  },
  {
    pattern: /Too many authentication failures/,
    code: 'HOST_REFUSED',
    means: () => 'has heard too many keys before the right one',
    next: () => 'name the key: identity in the inventory, or --identity',
  },
  {
    pattern: /This account is currently not available|account has expired/i,
    code: 'HOST_REFUSED',
    means: () => 'knows the user, and lets nobody log in as that user',
    next: (_, address) => `give another user; see what the host says: ${byHand(address)}`,
  },
  {
    pattern:
      /sudo: (?:a password is required|a terminal is required|interactive authentication|sorry, you must have a tty|.*account validation failure)[^\n]*/i,
    code: 'HOST_SUDO',
    means: () => 'asks for a password before its user becomes root',
    next: () =>
      'let the user become root without one: `NAME ALL=(root) NOPASSWD: ALL` in a file below /etc/sudoers.d (visudo -f); or give user: root',
  },
  {
    pattern:
      /not in the sudoers file|is not allowed to (?:execute|run sudo)|sudo: .*(?:may not|Permission denied)|I’?m afraid I can/i,
    code: 'HOST_SUDO',
    means: () => 'does not let its user become root',
    next: () =>
      'allow it: `NAME ALL=(root) NOPASSWD: ALL` in a file below /etc/sudoers.d (visudo -f); or give user: root',
  },
  {
    pattern: new RegExp(notRoot),
    code: 'HOST_SUDO',
    means: () => 'has another user than root for us, who is not to use sudo',
    next: () => 'give user: root, or let it become root by sudo: sudo: true',
  },
  {
    pattern: /sudo: (?:command )?not found|exec: sudo: |effective uid is not 0|no new privileges/i,
    code: 'HOST_SUDO',
    means: () => 'has no sudo that works, and its user is not root',
    next: () => 'install sudo there, and allow it for the user; or give user: root',
  },
  {
    pattern: new RegExp(`${lacking} ([^\\n(]*?)(?: \\(it has (\\S+)[^)]*\\))?$`, 'm'),
    code: 'HOST_LACKS',
    means: ([, programs = '']) => `lacks ${programs.trim().split(/\s+/).join(', ')}`,
    next: ([, programs = '', manager = '']) => {
      const names = programs
        .trim()
        .split(/\s+/)
        .map((name) => name.replace(/^.*\//, ''));
      return `on the host, as root: ${installCommandWith(names, manager) ?? 'install iproute2, tcpdump, iputils, openssh-server, util-linux and coreutils'}`;
    },
  },
  {
    pattern: /unshare: (?:command )?not found|exec: unshare|unshare: (?:unrecognized|invalid) option[^\n]*/i,
    code: 'HOST_LACKS',
    means: () => 'lacks unshare of util-linux',
    next: () => 'install util-linux there',
  },
  {
    pattern: /unshare: .*(?:Operation not permitted|Permission denied|No space left|Invalid argument)/,
    code: 'HOST_LACKS',
    means: () => 'does not let root make namespaces: it is a container with few rights, or has a setting against them',
    next: () => 'use the host itself; see there: sysctl user.max_net_namespaces',
  },
  {
    pattern: /Could not resolve hostname (\S+): ([^\n]*)/i,
    code: 'HOST_UNREACHABLE',
    means: ([, host = '', why = '']) => `cannot be found: no address for ${host} (${why.trim()})`,
    next: () => 'see that the name is written rightly, or give the address itself',
  },
  {
    pattern: /channel \d+: open failed: (?:connect failed: )?([^\n]*)|stdio forwarding failed/,
    code: 'HOST_UNREACHABLE',
    means: ([, why = ''], { jump = 'the host on the way' }) =>
      `is not reached from ${jump}${why === '' ? '' : `: ${why.replace(/^administratively prohibited: /, 'it may not forward connections: ')}`}`,
    next: (_, { jump = '', host }) =>
      `see whether ${jump} reaches it: ssh ${jump.split(',').at(-1) ?? ''} ping -c 1 ${host}; its sshd must allow forwarding (AllowTcpForwarding)`,
  },
  {
    pattern: /connect to host (\S+) port (\d+): (Connection refused)/,
    code: 'HOST_UNREACHABLE',
    means: ([, host = '', port = '']) => `refuses connections: nothing listens at ${host} port ${port}`,
    next: () => 'start its sshd, or give the port that it listens on',
  },
  {
    pattern: /connect to host (\S+) port (\d+): ([^\n]*)/,
    code: 'HOST_UNREACHABLE',
    means: ([, host = '', port = '', why = '']) => `does not answer at ${host} port ${port}: ${why.trim()}`,
    next: ([, host = '']) => `see whether it is on, and how we get there: ip route get ${host}; ping -c 1 ${host}`,
  },
  {
    pattern: /Connection timed out during banner exchange/,
    code: 'HOST_UNREACHABLE',
    means: (_, { jump }) => `does not say that it is an SSH server${jump === undefined ? '' : `, through ${jump}`}`,
    next: (_, { jump, host }) =>
      jump === undefined
        ? 'see whether it is an sshd that listens there, and whether the host is overloaded'
        : `see whether it is reached from there: ssh ${jump.split(',').at(-1) ?? ''} ping -c 1 ${host}`,
  },
  {
    pattern:
      /kex_exchange_identification: [^\n]*|banner line contains|Connection (?:closed|reset) by [^\n]*|Broken pipe|Timeout, server \S+ not responding/i,
    code: 'HOST_UNREACHABLE',
    means: ([words = '']) => `answers, and then ends the connection: ${words.trim()}`,
    next: (_, address) =>
      `see whether it is an sshd that listens there, and what it says: ${byHand(address)}${address.jump === undefined ? '' : `; and the way: ssh ${address.jump}`}`,
  },
];

/** The words that name the jump host, if the message is about a jump host. */
function passing(key: string, { host, jump }: HostAddress): string {
  const bare = key.replace(/^\[(.*)\]:\d+$/, '$1');
  return jump !== undefined && bare !== host && jump.includes(bare) ? `is behind ${bare}, which ` : '';
}

/**
 * The error for a host that was not reached.
 * @param said the whole output of ssh and of its command on the host
 */
export function sshFailure(address: HostAddress, said: string, cause?: unknown): MacvlabError {
  // A host’s output can have NUL bytes, which no argument of a command can have, such as one to try by hand.
  const words = said.replaceAll('\0', '');
  const evidence = readable(words);
  for (const { pattern, code, means, next } of meanings) {
    const found = pattern.exec(words);
    if (!found) continue;
    const message = `${address.name} (${placeOf(address)}) ${means(found, address)}`;
    return new MacvlabError(code, message, { evidence, next: next(found, address), cause });
  }
  const message = `${address.name} (${placeOf(address)}) was not reached`;
  return new MacvlabError('HOST_UNREACHABLE', message, {
    evidence,
    next: `see what ssh says: ${byHand(address)}`,
    cause,
  });
}

/** The last 20 lines of the output, without frames of at signs, and without anything that looks like a private key. */
export function readable(words: string): string {
  return words
    .replaceAll(/-----BEGIN[^\n]*PRIVATE KEY-----[\s\S]*?(?:-----END[^\n]*-----|$)/g, '(a private key)')
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '' && !/^@[@ ]*@?$/.test(line))
    .slice(-20)
    .join('\n');
}
