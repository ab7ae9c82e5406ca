/**
 * The container engines' programs: Debian packages, unpacked and never installed. So none of their services starts on
 * this machine, with its bridge and its firewall rules.
 */
import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type RootRecipe, rootRecipe } from './root-recipe.js';
import { findRoot, type RootForm, rootOf, type RootOptions } from './root-tree.js';
import { squash } from './squash.js';

const library = 'usr/lib/x86_64-linux-gnu';

/** Containers run without cgroups, which belong to the whole machine: they would outlive a lab that is killed. */
const dockerSettings = {
  runtimes: { nocgroups: { path: '/usr/bin/crun', runtimeArgs: ['--cgroup-manager=disabled'] } },
};

/** See containers.conf(5) and containers-storage.conf(5). Copies instead of overlays, which not every kernel can stack. */
const podmanSettings = {
  containers: [
    '[containers]',
    'cgroups = "disabled"',
    '[engine]',
    'cgroup_manager = "cgroupfs"',
    'events_logger = "none"',
  ],
  storage: ['[storage]', 'driver = "vfs"', 'runroot = "/run/containers"', 'graphroot = "/var/lib/containers"'],
};

const recipe: RootRecipe = {
  ...rootRecipe,
  packages: [
    ...['docker.io', 'docker-cli', 'podman', 'netavark', 'crun', 'conmon', 'containernetworking-plugins'],
    ...['dash', 'busybox-static', 'libc-bin'],
  ],
  leftOut: [...rootRecipe.leftOut, ...['dirmngr', 'gnupg', 'gpg', 'gpg-agent', 'gpgsm', 'pinentry-curses', 'iptables']],
  kept: [
    ...['usr/bin', 'usr/sbin', 'usr/lib64', library, 'usr/lib/cni', 'usr/lib/podman', 'usr/share/containers'],
    ...['etc/ld.so.conf', 'etc/ld.so.conf.d'],
  ],
  dropped: [
    ...rootRecipe.dropped,
    ...['ctr', 'containerd-shim', 'containerd-shim-runc-v1', 'containerd-stress'].map((name) => `usr/bin/${name}`),
    ...[
      'bandwidth',
      'bridge',
      'dhcp',
      'firewall',
      'host-device',
      'ipvlan',
      'portmap',
      'ptp',
      'sbr',
      'tuning',
      'vrf',
    ].map((name) => `usr/lib/cni/${name}`),
    ...['usr/sbin/docker-proxy', `${library}/libcrun.a`],
  ],
  folders: [...rootRecipe.folders, 'etc/docker', 'etc/containers/networks'],
  files: {
    ...rootRecipe.files,
    'etc/docker/daemon.json': `${JSON.stringify(dockerSettings)}\n`,
    'etc/containers/containers.conf': podmanSettings.containers.map((line) => `${line}\n`).join(''),
    'etc/containers/storage.conf': podmanSettings.storage.map((line) => `${line}\n`).join(''),
    'etc/containers/policy.json': '{ "default": [{ "type": "insecureAcceptAnything" }] }\n',
  },
  commands: ['sh', 'sleep', 'dockerd', 'docker', 'containerd', 'containerd-shim-runc-v2', 'crun', 'podman', 'conmon'],
};

const treeFolder = 'root';
const imageFile = 'root.squashfs';

/** A folder for labs that share this machine's files, and a squashfs next to it for other labs. */
const unpacked: RootForm = {
  of: 'container engines',
  what: 'programs',
  folder: 'engines',
  file: treeFolder,
  tools: ['mksquashfs'],
  recipe,
  async pack(tree, folder, signal) {
    await squash(tree, join(folder, imageFile), 'the container engines’ programs', signal);
    renameSync(tree, join(folder, treeFolder));
  },
};

/**
 * The folder with the engines' programs, which is created if necessary.
 * @throws MacvlabError TOOL_MISSING, KERNEL_FETCH, CACHE_NOT_WRITABLE, PROGRAM_FAILED; the signal's reason
 */
export async function engineTree(options: RootOptions = {}): Promise<string> {
  return rootOf(unpacked, options);
}

/** The newest folder in the cache, if there is one. */
export function findEngineTree(): string | undefined {
  return findRoot(unpacked);
}

/** Whether labs have container engines, which are optional. */
export function engineFinding(): { what: string; found: true; detail: string } {
  const missing = 'none: experiments with docker, podman and CNI are skipped (`macvlab lab prepare --engines`)';
  return { what: 'container engines', found: true, detail: findEngineTree() ?? missing };
}

/** The squashfs of the same programs. */
export function engineImageOf(tree: string): string {
  return join(dirname(tree), imageFile);
}
