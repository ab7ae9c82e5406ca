/** The way into a machine: the ssh program, with the output of `vagrant ssh-config` as its configuration. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SshWay } from '../../remote/ssh-way.js';
import { vagrant } from './vagrant-program.js';

/** A folder with the configuration, and with the machines' host keys from the first contact. */
export interface WayIn {
  folder: string;
}

/** Writes the addresses and keys that Vagrant reports into a folder. @throws MacvlabError VAGRANT_MISSING, VAGRANT_FAILED */
export async function findWayIn(folder: string, environment: Record<string, string>): Promise<WayIn> {
  const config = await vagrant(['ssh-config'], { what: 'tell the machines’ addresses', environment });
  const file = join(folder, 'ssh_config');
  writeFileSync(file, config);
  chmodSync(file, 0o600);
  return { folder };
}

/**
 * ssh accepts a host key at the first contact and pins it, while Vagrant accepts any key at each contact. The lab's own
 * sshd, whose key macvlab created, encrypts the content of this connection again.
 */
function sshOptions({ folder }: WayIn): string[] {
  const options = {
    StrictHostKeyChecking: 'accept-new',
    // A space would end it, and a percent sign would start a token (ssh_config(5)).
    UserKnownHostsFile: `"${join(folder, 'known_hosts').replaceAll('%', '%%')}"`,
    GlobalKnownHostsFile: '/dev/null',
    HashKnownHosts: 'no',
    BatchMode: 'yes',
    ConnectTimeout: '60',
    ServerAliveInterval: '10',
    ServerAliveCountMax: '4',
    ControlPath: 'none',
    LogLevel: 'ERROR',
  };
  return [
    '-F',
    join(folder, 'ssh_config'),
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
}

/** The way to one machine. */
export function wayTo(way: WayIn, machine: string): SshWay {
  const need = 'is Vagrant’s way into the machines';
  return { name: machine, need, options: sshOptions(way), destination: machine, asRoot: ['sudo', '-n', '--'] };
}
