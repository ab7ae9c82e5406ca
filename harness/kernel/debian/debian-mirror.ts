/** Where this machine gets Debian packages from: its own apt sources, or the user's mirror. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MacvlabError } from '../../core/error.js';

/** A mirror of Debian's archive; both as URIs that apt understands, without a slash at the end. */
export interface Mirror {
  main: string;
  /** The archive of security updates, a separate mirror. */
  security: string;
  /** The file of public keys that its signatures are checked against. */
  keyring: string;
}

/** One suite of a repository, as apt's sources name it. */
interface Source {
  uri: string;
  suite: string;
  components: string[];
  /** The field Signed-By, "" without one. */
  signedBy: string;
}

/** The names under which the package debian-archive-keyring installs it; newer versions also have the second. */
const keyrings = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];

/** The possible names of a Debian suite, without a suffix: "-security", "/updates", "-backports". */
const suitePattern =
  /^(?:(?:old)*stable|testing|unstable|sid|experimental|buster|bullseye|bookworm|trixie|forky|duke)(?=$|[-/](?:security|updates|backports|proposed-updates)$)/;

const securityPattern = /(?:-security|\/updates)$/;

/**
 * The mirror to use: `MACVLAB_DEBIAN_MIRROR`, otherwise the one of this machine's apt sources. `MACVLAB_DEBIAN_KEYRING`
 * is for a mirror with its own key.
 * @param files the prefix of every system path: "/", or a folder of system files in tests
 * @throws MacvlabError KERNEL_FETCH when there is none, or the keyring is missing
 */
export function debianMirror(files = '/'): Mirror {
  const { MACVLAB_DEBIAN_MIRROR: named, MACVLAB_DEBIAN_KEYRING: ownKeyring } = process.env;
  const sources = named ? [] : machineSources(files).filter(isDebian);
  const main = named ?? best(sources.filter(({ suite }) => !securityPattern.test(suite)))?.uri;
  if (!main) {
    throw new MacvlabError('KERNEL_FETCH', 'this machine’s apt sources name no mirror of Debian', {
      next: 'name one in the environment: MACVLAB_DEBIAN_MIRROR=http://…/debian',
    });
  }
  const security = best(sources.filter(({ suite }) => securityPattern.test(suite)))?.uri;
  const keyring = ownKeyring ?? keyrings.map((file) => join(files, file)).find((file) => existsSync(file));
  if (!keyring || !existsSync(keyring)) {
    throw new MacvlabError('KERNEL_FETCH', 'the keys that Debian’s archive is signed with are missing', {
      evidence: `no file ${ownKeyring ?? keyrings[0]}`,
      next: ownKeyring ? 'correct MACVLAB_DEBIAN_KEYRING' : 'install the package debian-archive-keyring',
    });
  }
  const base = withoutSlash(main);
  return { main: base, security: security ? withoutSlash(security) : `${base}-security`, keyring };
}

function withoutSlash(uri: string): string {
  return uri.replace(/\/+$/, '');
}

/** Other vendors offer packages for Debian under its suites' names, signed with their own keys. */
function isDebian({ uri, suite, components, signedBy }: Source): boolean {
  return (
    /^(?:https?|file|mirror(?:\+\w+)?):/.test(uri) &&
    suitePattern.test(suite) &&
    components.includes('main') &&
    (signedBy === '' || signedBy.includes('debian-archive-'))
  );
}

/** A source that names the keyring, or has Debian in its address, is more likely to be Debian's. */
function best(sources: readonly Source[]): Source | undefined {
  const rank = ({ uri, signedBy }: Source) => (signedBy ? 2 : 0) + (/debian/.test(uri) ? 1 : 0);
  return [...sources].sort((one, other) => rank(other) - rank(one))[0];
}

function machineSources(files: string): Source[] {
  const folder = join(files, 'etc/apt/sources.list.d');
  const parts = existsSync(folder) ? readdirSync(folder).sort() : [];
  const named = [join(files, 'etc/apt/sources.list'), ...parts.map((name) => join(folder, name))];
  return named
    .filter((file) => existsSync(file))
    .flatMap((file) => {
      if (file.endsWith('.sources')) return stanzaSources(readFileSync(file, 'utf8'));
      return file.endsWith('.list') ? lineSources(readFileSync(file, 'utf8')) : [];
    });
}

/** The one-line format of sources.list(5): `deb [ option=value ] uri suite component…`. */
export function lineSources(text: string): Source[] {
  const lines = text.matchAll(/^[ \t]*deb[ \t]+(?:\[([^\]\n]*)\][ \t]+)?(\S+)[ \t]+(\S+)[ \t]+([^#\n]*)/gm);
  return [...lines].map(([, options = '', uri = '', suite = '', components = '']) => ({
    uri,
    suite,
    components: words(components),
    signedBy: /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1] ?? '',
  }));
}

/** The deb822 format of sources.list(5): stanzas of fields, each with one or more values. */
export function stanzaSources(text: string): Source[] {
  const stanzas = text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const field = (name: string) =>
      new RegExp(`^${name}:((?:.*)(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1]?.trim() ?? '';
    if (!words(field('Types')).includes('deb') || /^(?:no|false|off|0)$/i.test(field('Enabled'))) return [];
    const rest = { components: words(field('Components')), signedBy: field('Signed-By') };
    return words(field('URIs')).flatMap((uri) => words(field('Suites')).map((suite) => ({ uri, suite, ...rest })));
  });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}
