/** The address of a real host, and the ssh settings that reach it. */

export interface HostAddress {
  /** Its name in the lab and in messages: "node1". */
  name: string;
  /** Its address, its host name, or a `Host` of the user’s ssh_config. */
  host: string;
  port?: number;
  /** Default: the user that ssh_config names, or the user of this process. */
  user?: string;
  /** Absolute path of a private key, or of a public key if an agent has the private one. */
  identity?: string;
  /** Jump hosts in the syntax of `ssh -J`: "ops@bastion:2222", or several with commas between. */
  jump?: string;
  /** Absolute path of a known_hosts file, in place of the user’s own. */
  knownHosts?: string;
  /** Whether a user other than root becomes root by sudo. */
  sudo: boolean;
}

/** "ops@10.0.0.11 port 2222", for messages. */
export function placeOf({ host, port, user }: HostAddress): string {
  return `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : ` port ${port}`}`;
}
