/**
 * Selects the modules for a guest from a kernel's modules: those for booting, those for its network, and their
 * dependencies. Dependencies are read from the modules themselves: a kernel's folder need not be indexed or writable.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { MacvlabError } from '../core/error.js';
import { runProgram } from '../core/program.js';
import type { Kernel } from '../kernel/kernel.js';
import { hostTool } from '../core/host-tools.js';

/** Modules that every guest needs to boot, in the order of loading: module -> its option in a kernel's config. */
export const bootModules: ReadonlyMap<string, string> = new Map([
  ['virtio_pci', 'CONFIG_VIRTIO_PCI'],
  // Early: its ports come up while the other modules load.
  ['virtio_console', 'CONFIG_VIRTIO_CONSOLE'],
  ['virtio_blk', 'CONFIG_VIRTIO_BLK'],
  ['squashfs', 'CONFIG_SQUASHFS'],
  ['overlay', 'CONFIG_OVERLAY_FS'],
]);

/** Modules that guests may load when needed; a kernel may lack any of them. */
export const networkModules: readonly string[] = [
  ...['virtio_net', 'veth', 'dummy', 'ifb', 'tun', 'tap', 'bridge', 'br_netfilter', '8021q'],
  ...['macvlan', 'macvtap', 'ipvlan', 'ipvtap', 'vxlan', 'vrf', 'bonding', 'team'],
  ...['team_mode_activebackup', 'team_mode_broadcast', 'team_mode_loadbalance', 'team_mode_roundrobin'],
  ...['sch_ingress', 'sch_netem', 'sch_prio', 'sch_htb', 'sch_tbf'],
  ...['cls_basic', 'cls_flower', 'cls_matchall', 'cls_u32', 'act_gact', 'act_mirred', 'act_vlan'],
  ...['af_packet', 'ipv6', 'unix'],
];

/** A kernel's modules, by name. */
interface ModuleTree {
  /** `lib/modules/<release>`; undefined for a kernel without modules. */
  folder: string | undefined;
  /** Name -> file, compressed or not. */
  files: ReadonlyMap<string, string>;
  /** Names; undefined when the kernel has no such list. */
  builtIn: ReadonlySet<string> | undefined;
}

/** A module's name: its file may have dashes (kmod treats them in the same way). */
function nameOf(file: string): string {
  return basename(file)
    .replace(/\.ko(\.(gz|xz|zst))?$/, '')
    .replaceAll('-', '_');
}

/** @throws MacvlabError KERNEL_UNSUITABLE when there are no modules in the expected folder */
function readTree({ modules, release, name }: Kernel): ModuleTree {
  if (modules === undefined) return { folder: undefined, files: new Map(), builtIn: undefined };
  const folder = ['lib', 'usr/lib']
    .map((lib) => join(modules, lib, 'modules', release))
    .find((path) => existsSync(path));
  if (folder === undefined) {
    throw new MacvlabError('KERNEL_UNSUITABLE', `${name}: ${modules} has no modules of ${release}`, {
      evidence: `no folder ${join(modules, 'lib/modules', release)}`,
      next: 'give the folder that `make modules_install INSTALL_MOD_PATH=…` was given, of the same build',
    });
  }
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ko(\.(gz|xz|zst))?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    // A module in updates/ replaces the kernel's own (depmod.d(5), "search").
    .sort((a, b) => Number(a.includes('/updates/')) - Number(b.includes('/updates/')) || (a < b ? -1 : 1));
  return { folder, files: new Map(files.map((file) => [nameOf(file), file])), builtIn: readBuiltIn(folder) };
}

function readBuiltIn(folder: string): Set<string> | undefined {
  const file = join(folder, 'modules.builtin');
  return existsSync(file) ? new Set(readFileSync(file, 'utf8').split('\n').map(nameOf)) : undefined;
}

/**
 * Puts the modules for a guest into a folder, uncompressed, with the kernel's list of built-in modules.
 * @returns the files to load at boot, each after its dependencies
 * @throws MacvlabError KERNEL_UNSUITABLE naming the options that a guest needs to boot; TOOL_MISSING
 */
export async function gatherModules(kernel: Kernel, folder: string, signal?: AbortSignal): Promise<string[]> {
  const tree = readTree(kernel);
  refuseUnbootable(kernel, tree);
  const needs = new Map<string, string[]>();
  const wanted = [...bootModules.keys(), ...networkModules];
  // All modules of one round are unpacked at once: this needs few program starts, and one round per level of
  // dependencies.
  for (let round = wanted; round.length > 0;) {
    const names = [...new Set(round)].filter((name) => tree.files.has(name) && !needs.has(name));
    await unpack(
      names.map((name) => tree.files.get(name) ?? ''),
      folder,
      signal,
    );
    for (const name of names) needs.set(name, dependencies(readFileSync(join(folder, `${name}.ko`))));
    round = names.flatMap((name) => needs.get(name) ?? []);
  }
  const list = tree.folder && join(tree.folder, 'modules.builtin');
  if (list && existsSync(list)) copyFileSync(list, join(folder, 'modules.builtin'));
  return inOrder([...bootModules.keys()], needs);
}

/** A kernel with unknown built-in modules is tried: its guest will report missing ones. */
function refuseUnbootable({ name, config, modules }: Kernel, { files, builtIn }: ModuleTree): void {
  const has = (option: string, value: string) => new RegExp(`^${option}=${value}$`, 'm').test(config ?? '');
  const unknown = config === undefined && builtIn === undefined;
  const missing = [...bootModules].filter(
    ([module, option]) => !unknown && !files.has(module) && !builtIn?.has(module) && !has(option, 'y'),
  );
  if (missing.length === 0) return;
  const options = missing.map(([, option]) => option);
  throw new MacvlabError('KERNEL_UNSUITABLE', `${name} lacks what a guest boots with: ${options.join(', ')}`, {
    evidence: missing
      .map(([module, option]) =>
        has(option, 'm') ? `${option}=m, but there is no ${module}.ko` : `${option}: neither built in nor a module`,
      )
      .join('\n'),
    next:
      modules === undefined && options.some((option) => has(option, 'm'))
        ? 'give its modules as well: --modules dir'
        : `set ${options.map((option) => `${option}=y`).join(' ')} in its config and build it again`,
  });
}

/** Each name's file, after its dependencies; built-in and missing modules have none. */
function inOrder(names: readonly string[], needs: ReadonlyMap<string, readonly string[]>): string[] {
  const ordered = new Set<string>();
  const begun = new Set<string>();
  const add = (name: string): void => {
    const own = needs.get(name);
    if (own === undefined || begun.has(name)) return;
    begun.add(name);
    own.forEach(add);
    ordered.add(`${name}.ko`);
  };
  names.forEach(add);
  return [...ordered];
}

/**
 * The names of the modules that a module needs, from its .modinfo section. The section is a list of `key=value`, each
 * ended by a zero byte. modpost writes `depends`, the module's author `softdep: pre:`.
 */
export function dependencies(module: Buffer): string[] {
  const values = (key: string): string[] => {
    const found: string[] = [];
    const mark = `\0${key}=`;
    for (let at = module.indexOf(mark); at !== -1; at = module.indexOf(mark, at + 1)) {
      found.push(module.toString('latin1', at + mark.length, module.indexOf(0, at + mark.length)));
    }
    return found;
  };
  const hard = values('depends').flatMap((value) => value.split(','));
  const soft = values('softdep').flatMap(
    (value) => /(?:^|\s)pre:((?:\s+[\w-]+(?!\S))+)/.exec(value)?.[1]?.split(/\s+/) ?? [],
  );
  return [...hard, ...soft].filter(Boolean).map((name) => name.replaceAll('-', '_'));
}

const unpackers: Readonly<Record<string, readonly string[]>> = {
  xz: ['--decompress', '--quiet'],
  zst: ['--decompress', '--quiet', '--rm'],
};

/** Puts modules into a folder as `<name>.ko`, with any compression. */
async function unpack(files: readonly string[], folder: string, signal?: AbortSignal): Promise<void> {
  const copied: string[] = [];
  for (const file of files) {
    const plain = join(folder, `${nameOf(file)}.ko`);
    const kind = /\.(gz|xz|zst)$/.exec(file)?.[1];
    if (kind === 'gz') writeFileSync(plain, gunzipSync(readFileSync(file)));
    else copyFileSync(file, kind ? `${plain}.${kind}` : plain);
    if (kind && kind !== 'gz') copied.push(`${plain}.${kind}`);
  }
  for (const [kind, options] of Object.entries(unpackers)) {
    const packed = copied.filter((file) => file.endsWith(`.${kind}`));
    if (packed.length === 0) continue;
    const program = hostTool(kind === 'xz' ? 'xz' : 'zstd', 'the kernel’s modules are compressed with it');
    const next = 'fetch or build the kernel’s modules again: one of them is damaged';
    await runProgram([program, ...options, ...packed], { what: 'unpack the kernel’s modules', next, signal });
  }
}

/** Creates the index for a guest's modprobe: all files in the folder that begin with `modules.`. */
export async function indexModules(root: string, release: string, signal?: AbortSignal): Promise<void> {
  // Only existing lists can be used; depmod prints a warning for each missing one, and continues.
  const argv = [hostTool('depmod'), '-b', root, release];
  const next = 'see what depmod says about the kernel’s modules';
  await runProgram(argv, { what: 'index the guest’s modules', next, signal });
  rmSync(join(root, 'lib/modules', release, 'modules.symbols'), { force: true });
}
