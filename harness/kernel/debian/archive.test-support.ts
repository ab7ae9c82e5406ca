/** A Debian archive in a folder, signed with a generated key, for tests with the real apt, gpg and dpkg-deb. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface TestPackage {
  name: string;
  version: string;
  depends?: string;
  /** Its files: path -> text. */
  files?: Record<string, string>;
}

/** An archive that has only the suite sid, so that all others are missing. */
export class TestArchive {
  readonly #folder: string;

  /** @param folder is created; its name ends with "debian", so that the security archive is next to it */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 });
    this.#gpg(['--quick-generate-key', '--passphrase', '', 'test@example.org', 'ed25519', 'sign', 'never']);
    this.#gpg(['--output', join(folder, 'keyring.gpg'), '--export']);
  }

  /** The variables that make macvlab use it. */
  get environment(): Record<string, string> {
    return {
      MACVLAB_DEBIAN_MIRROR: `file://${this.#folder}`,
      MACVLAB_DEBIAN_KEYRING: join(this.#folder, 'keyring.gpg'),
    };
  }

  /** Where a package's file is. */
  fileOf({ name, version }: TestPackage): string {
    return join(this.#folder, 'pool', `${name}_${version}_amd64.deb`);
  }

  /** Replaces the suite's contents, and signs it. */
  publish(packages: readonly TestPackage[]): void {
    const index = join(this.#folder, 'dists/sid/main/binary-amd64/Packages');
    mkdirSync(dirname(index), { recursive: true });
    writeFileSync(index, packages.map((item) => this.#stanza(item)).join('\n'));
    this.sign();
  }

  /** Signs the current index of the suite. */
  sign(): void {
    const suite = join(this.#folder, 'dists/sid');
    const packages = readFileSync(join(suite, 'main/binary-amd64/Packages'));
    const release = [
      'Origin: Debian',
      'Suite: unstable',
      'Codename: sid',
      `Date: ${new Date().toUTCString()}`,
      'Architectures: amd64',
      'Components: main',
      'SHA256:',
      ` ${sha256(packages)} ${packages.length} main/binary-amd64/Packages`,
    ];
    writeFileSync(join(suite, 'Release'), `${release.join('\n')}\n`);
    rmSync(join(suite, 'InRelease'), { force: true });
    this.#gpg(['--clearsign', '--output', join(suite, 'InRelease'), join(suite, 'Release')]);
  }

  /** Changes a signed file. */
  tamper(): void {
    const file = join(this.#folder, 'dists/sid/InRelease');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Origin: Debian', 'Origin: Debris'));
  }

  #stanza(item: TestPackage): string {
    const { name, version, depends, files = {} } = item;
    const tree = join(this.#folder, 'build');
    rmSync(tree, { recursive: true, force: true });
    const control = `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\n${depends ? `Depends: ${depends}\n` : ''}Description: for tests\n`;
    for (const [path, text] of Object.entries({ ...files, 'DEBIAN/control': control })) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      appendFileSync(join(tree, path), text);
    }
    const file = this.fileOf(item);
    mkdirSync(dirname(file), { recursive: true });
    execFileSync('dpkg-deb', ['--root-owner-group', '-b', tree, file], { stdio: 'ignore' });
    const bytes = readFileSync(file);
    const path = `pool/${name}_${version}_amd64.deb`;
    return `${control}Filename: ${path}\nSize: ${bytes.length}\nSHA256: ${sha256(bytes)}\n`;
  }

  #gpg(argv: readonly string[]): void {
    const home = join(this.#folder, 'keys');
    execFileSync('gpg', ['--homedir', home, '--batch', '--yes', ...argv], { stdio: 'ignore' });
  }

  /** Ends gpg's agent, which holds the key, and removes the archive. */
  remove(): void {
    if (!existsSync(this.#folder)) return;
    execFileSync('gpgconf', ['--homedir', join(this.#folder, 'keys'), '--kill', 'all'], { stdio: 'ignore' });
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
