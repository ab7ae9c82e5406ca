/** The keys of a lab: one pair for its host key, one for its user. */
import ssh2 from 'ssh2';
import { z } from 'zod';

/** A pair of keys. */
export const keyPair = z.object({
  /** OpenSSH private key file, without passphrase. */
  private: z.string(),
  /** One line: "ssh-ed25519 AAAA...". */
  public: z.string(),
});
export type KeyPair = z.infer<typeof keyPair>;

/** A new Ed25519 key pair. */
export function newKeyPair(): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    // About one in 400 private keys of ssh2 1.17 is malformed (7 of 3,000), and neither ssh2 nor sshd can read it.
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** The key blob of a public key line, as in the SSH protocol (RFC 4253, 6.6). */
export function keyBlob(publicKey: string): Buffer {
  const blob = publicKey.trim().split(/\s+/)[1];
  if (!blob) throw new TypeError('not a public key line: type and base64 blob expected');
  return Buffer.from(blob, 'base64');
}
