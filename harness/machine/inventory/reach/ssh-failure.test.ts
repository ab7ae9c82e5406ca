import { expect } from 'chai';
import { sshFailure } from './ssh-failure.js';

/** Messages as the programs print them, for failures that tests cannot cause on every machine. */
const cases = [
  [
    'HOST_KEY',
    'revoked',
    '@       WARNING: REVOKED HOST KEY DETECTED!               @\nThe ED25519 host key for h is marked as revoked.\nHost key verification failed.\n',
  ],
  ['HOST_KEY', 'another host key', 'Host key for [h]:2222 has changed and you have requested strict checking.\n'],
  ['HOST_KEY', 'does not accept', 'Host key verification failed.\n'],
  [
    'HOST_REFUSED',
    'private key',
    'Load key "/home/u/.ssh/lab": error in libcrypto\nu@h: Permission denied (publickey).\n',
  ],
  [
    'HOST_REFUSED',
    'may be read by others',
    '@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\nPermission denied (publickey).\n',
  ],
  ['HOST_REFUSED', 'u@h', 'u@h: Permission denied (publickey,password).\n'],
  ['HOST_REFUSED', 'too many keys', 'Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\n'],
  ['HOST_REFUSED', 'lets nobody log in', 'This account is currently not available.\n'],
  ['HOST_SUDO', 'password', 'sudo: a password is required\n'],
  ['HOST_SUDO', 'password', 'sudo: a terminal is required to read the password; either use the -S option ...\n'],
  ['HOST_SUDO', 'password', 'sudo: sorry, you must have a tty to run sudo\n'],
  ['HOST_SUDO', 'password', 'sudo: interactive authentication is required\n'],
  ['HOST_SUDO', 'does not let', 'u is not in the sudoers file.\n'],
  ['HOST_SUDO', 'does not let', "Sorry, user u is not allowed to execute '/usr/bin/env ...' as root on h.\n"],
  ['HOST_SUDO', 'no sudo', 'sh: 1: exec: sudo: not found\n'],
  ['HOST_SUDO', 'no sudo', 'sh: line 1: exec: sudo: not found\n'],
  ['HOST_LACKS', 'unshare', 'sh: 1: unshare: not found\n'],
  ['HOST_LACKS', 'unshare', 'unshare: unrecognized option: kill-child\n'],
  ['HOST_LACKS', 'namespaces', 'unshare: unshare failed: Operation not permitted\n'],
  ['HOST_LACKS', 'tcpdump, /usr/sbin/sshd', 'the machine lacks: tcpdump /usr/sbin/sshd (it has dnf)\n'],
  ['HOST_UNREACHABLE', 'No route to host', 'ssh: connect to host 10.0.0.1 port 22: No route to host\n'],
  ['HOST_UNREACHABLE', 'timed out', 'ssh: connect to host 10.0.0.1 port 22: Connection timed out\n'],
  ['HOST_UNREACHABLE', 'SSH server', 'Connection timed out during banner exchange\n'],
  ['HOST_UNREACHABLE', 'ends the connection', 'kex_exchange_identification: read: Connection reset by peer\n'],
  [
    'HOST_UNREACHABLE',
    'may not forward',
    'channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed\n',
  ],
  ['HOST_UNREACHABLE', 'was not reached', 'something that nobody has heard of\n'],
] as const;

describe('what ssh says when a host is not reached', () => {
  for (const [code, words, said] of cases) {
    it(`means ${code}: ${said.trim().split('\n')[0]}`, () => {
      const error = sshFailure({ name: 'node1', host: 'h', user: 'u', jump: 'j', sudo: true }, said);
      expect(error.code).to.equal(code);
      expect(error.message)
        .to.match(/^node1 \(u@h\) /)
        .and.include(words);
      expect(error.next).not.to.equal('');
    });
  }

  it('is followed by the command of the host’s own package manager', () => {
    const { next } = sshFailure(
      { name: 'node1', host: 'h', sudo: true },
      'the machine lacks: ip bridge /usr/sbin/sshd (it has dnf)\n',
    );
    expect(next).to.match(/dnf install .*iproute openssh-server$/);
  });

  it('is told whatever bytes are in it', () => {
    const said = 'Host key for h\0h has changed and you have requested strict checking.\n';
    const { next } = sshFailure({ name: 'node1', host: 'h', sudo: true }, said);
    expect(next).to.include('ssh-keygen -R hh');
  });

  it('is shown without anything that looks like a private key', () => {
    const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabcdef\n-----END OPENSSH PRIVATE KEY-----';
    const error = sshFailure({ name: 'node1', host: 'h', sudo: true }, `debug: ${key}\nu@h: Permission denied (x).\n`);
    expect(error.format()).not.to.include('abcdef');
  });
});
