/** Keys that live as long as a lab: one pair for its host key, one for its user. */
import ssh2 from 'ssh2';

export interface KeyPair {
  /** OpenSSH private key file, without passphrase. */
  private: string;
  /** One line: "ssh-ed25519 AAAA...". */
  public: string;
}

/** A new Ed25519 key pair. */
export function newKeyPair(): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    // About one in 400 private keys of ssh2 1.17 comes out malformed (7 of 3,000), and neither ssh2 nor sshd can read it.
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** The key blob of a public key line, as the SSH protocol carries it (RFC 4253, 6.6). */
export function keyBlob(publicKey: string): Buffer {
  const blob = publicKey.trim().split(/\s+/)[1];
  if (!blob) throw new TypeError('not a public key line: type and base64 blob expected');
  return Buffer.from(blob, 'base64');
}
