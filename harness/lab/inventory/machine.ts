/** How a real host is reached: what a user would tell ssh. */

export interface HostAddress {
  /** What we call it: "node1". */
  name: string;
  /** Its address, its name, or that of a section in the user’s ssh_config. */
  host: string;
  port?: number;
  /** By default whom ssh_config names, or the user of this process. */
  user?: string;
  /** Absolute path of a private key, or of a public one whose private half an agent has. */
  identity?: string;
  /** Hosts on the way, as `ssh -J` takes them: "ops@bastion:2222", or several with commas between. */
  jump?: string;
  /** Absolute path of a known_hosts file, in place of the user’s own. */
  knownHosts?: string;
  /** Whether somebody who is not root there becomes root by sudo. */
  sudo: boolean;
}

/** "ops@10.0.0.11 port 2222", for messages. */
export function placeOf({ host, port, user }: HostAddress): string {
  return `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : ` port ${port}`}`;
}
