/** The way into a machine: the ssh program, with what `vagrant ssh-config` says. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SshWay } from '../ssh-way.js';
import { vagrant } from './vagrant-program.js';

/** A folder with the configuration, and the machines' host keys as they were at first. */
export interface WayIn {
  folder: string;
}

/** Asks Vagrant for addresses and keys, and writes them into a folder. @throws MacvlabError VAGRANT_MISSING, VAGRANT_FAILED */
export async function findWayIn(folder: string, environment: Record<string, string>): Promise<WayIn> {
  const config = await vagrant(['ssh-config'], { what: 'tell the machines’ addresses', environment });
  const file = join(folder, 'ssh_config');
  writeFileSync(file, config);
  chmodSync(file, 0o600);
  return { folder };
}

/**
 * A host key is taken at the first contact, as Vagrant itself does at each, and pinned from then on. What is said in this way is
 * encrypted once more: the lab's own sshd, whose key we made, is behind it.
 */
function sshOptions({ folder }: WayIn): string[] {
  const options = {
    StrictHostKeyChecking: 'accept-new',
    // A space would end it, and a per cent sign begin a token (ssh_config(5)).
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
