/** The files of a lab's own sshd, and the command that starts it. */
import { z } from 'zod';
import { keyPair } from './keys.js';
import { quoteArgument } from './quote.js';

/** The folder of a lab's machine for its files: on a private tmpfs. */
export const labFolder = '/run/macvlab';

/** The keys of a lab: created for it, and pinned. */
export const labKeys = z.object({ host: keyPair, user: keyPair });
export type LabKeys = z.infer<typeof labKeys>;

/** The command that starts a lab's sshd, by its absolute path, which sshd requires. */
export function sshdCommand(program = '/usr/sbin/sshd'): string[] {
  return [program, '-e', '-f', `${labFolder}/sshd_config`];
}

/**
 * Lines of a shell script that write sshd's files below {@link labFolder}, with `passwd`, `shadow`, `group` and
 * `resolv.conf` for the machine's /etc. Root's shell is /bin/sh and its home has no files, so that a remote shell reads
 * no rc file. The script uses the shell's own printf: a process start for each file would be a large part of a lab's
 * start time.
 */
export function sshdFilesScript({ host, user }: LabKeys): string[] {
  const forAll = {
    passwd: [
      `root:*:0:0:root:${labFolder}:/bin/sh`,
      'sshd:*:100:65534::/run/sshd:/usr/sbin/nologin',
      // The user of tcpdump in distributions that build it so: root under another name, so that it may write in the
      // user's current folder.
      `tcpdump:*:0:0::${labFolder}:/usr/sbin/nologin`,
      'nobody:*:65534:65534::/nonexistent:/usr/sbin/nologin',
      '',
    ].join('\n'),
    group: 'root:x:0:\nnogroup:x:65534:\n',
    hosts: '127.0.0.1 localhost\n::1 localhost\n',
    // No name server runs there, so that a lookup fails at once. Before a login on a terminal, sshd looks its peer up,
    // and would wait for 5 s.
    'resolv.conf': 'nameserver 127.0.0.1\n',
  };
  const forRoot = {
    shadow: 'root:*:1::::::\nsshd:*:1::::::\ntcpdump:*:1::::::\nnobody:*:1::::::\n',
    host_key: host.private,
    authorized_keys: `${user.public}\n`,
    sshd_config: sshdConfig,
  };
  const write = (files: Record<string, string>) =>
    Object.entries(files).map(
      ([name, content]) => `printf '%s\\n' ${quoteArgument(content.trimEnd())} >${labFolder}/${name}`,
    );
  return [
    `mkdir -p /run/sshd /run/netns /run/lock ${labFolder}/empty`,
    ...write(forAll),
    'umask 077',
    ...write(forRoot),
    'umask 022',
  ];
}

/** The files that replace the machine's own in /etc. */
export const etcFiles = ['passwd', 'shadow', 'group', 'hosts', 'resolv.conf'] as const;

/** For `sshd -i`: only the lab's user key, nothing from the machine's files, and sufficient channels for all captures. */
const sshdConfig = `HostKey ${labFolder}/host_key
AuthorizedKeysFile ${labFolder}/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
PermitUserRC no
PermitUserEnvironment no
AcceptEnv nothing
MaxSessions 1000
MaxStartups 1000
LoginGraceTime 60
Subsystem sftp internal-sftp
PidFile none
LogLevel ERROR
`;
