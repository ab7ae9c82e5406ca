/** Creates the Vagrant lab’s default box: Debian packages in a read-only root, with all changes in memory. */
import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runProgram } from '../../core/program.js';
import { newKeyPair } from '../../remote/keys.js';
import { hostTool } from '../../core/host-tools.js';
import { findRoot, type RootForm, rootOf, type RootOptions, tryAgain } from '../../image/root-tree.js';
import { squash } from '../../image/squash.js';
import { boxRecipe, boxVagrantfileText, ownPrograms } from './box-recipe.js';

const boxFile = 'macvlab.box';
const digestFile = 'sha256';
/** Vagrant's name for the disk in a box for libvirt (vagrant-libvirt, "Box Format"). */
const disk = 'box.img';

/** A box in the cache. */
export interface Box {
  /** "macvlab-1a2b3c4d5e6f": a box with other content has another name, because Vagrant and libvirt cache it by name. */
  name: string;
  file: string;
}

function form(): RootForm {
  return {
    of: 'Vagrant machines',
    what: 'box',
    folder: 'vagrant/boxes',
    file: boxFile,
    tools: ['mksquashfs', 'qemu-img'],
    recipe: boxRecipe(),
    pack,
  };
}

/**
 * The box; creates it if it is not in the cache. A cached box needs no network access.
 * @throws MacvlabError TOOL_MISSING, KERNEL_FETCH, CACHE_NOT_WRITABLE, PROGRAM_FAILED
 */
export async function box(options: RootOptions = {}): Promise<Box> {
  return describe(await rootOf(form(), options));
}

/** The newest box in the cache, if there is one. */
export function findBox(): Box | undefined {
  const file = findRoot(form());
  return file === undefined ? undefined : describe(file);
}

function describe(file: string): Box {
  return { name: `macvlab-${readFileSync(join(dirname(file), digestFile), 'utf8').slice(0, 12)}`, file };
}

/** Packs the box with login keys of this cache, instead of the keys that Vagrant publishes. */
async function pack(tree: string, folder: string, signal?: AbortSignal): Promise<void> {
  const [host, user] = [newKeyPair(), newKeyPair()];
  // The disk with the host's private key is here for a while: other users must not read it.
  chmodSync(folder, 0o700);
  writeFileSync(join(tree, 'etc/ssh/host_key'), host.private, { mode: 0o600 });
  writeFileSync(join(tree, 'etc/ssh/host_key.pub'), `${host.public}\n`);
  writeFileSync(join(tree, 'etc/ssh/authorized_keys'), `${user.public}\n`);
  for (const name of ownPrograms()) chmodSync(join(tree, name), 0o755);
  chmodSync(join(tree, 'usr/bin/sudo'), 0o4755);
  chmodSync(join(tree, 'etc/sudoers'), 0o440);
  rmSync(join(tree, 'usr/sbin/init'), { force: true });
  symlinkSync('../bin/busybox', join(tree, 'usr/sbin/init'));
  const image = join(folder, 'root.squashfs');
  await squash(tree, image, 'the box’s root', signal);
  const packing = { what: 'pack the box', next: tryAgain, signal };
  await runProgram(
    [hostTool('qemu-img', 'makes the box’s disk'), 'convert', '-f', 'raw', '-O', 'qcow2', image, join(folder, disk)],
    packing,
  );
  // GB, the size of libvirt's volume; the disk is read-only and smaller
  writeFileSync(
    join(folder, 'metadata.json'),
    JSON.stringify({ provider: 'libvirt', format: 'qcow2', virtual_size: 1 }),
  );
  writeFileSync(join(folder, 'Vagrantfile'), boxVagrantfileText());
  writeFileSync(join(folder, 'vagrant_private_key'), user.private, { mode: 0o600 });
  const parts = ['metadata.json', 'Vagrantfile', 'vagrant_private_key', disk];
  await runProgram(
    [hostTool('tar'), '--create', '--file', join(folder, boxFile), '--directory', folder, ...parts],
    packing,
  );
  chmodSync(join(folder, boxFile), 0o600);
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(folder, disk)), hash);
  writeFileSync(join(folder, digestFile), hash.digest('hex'));
  for (const part of [...parts, 'root.squashfs']) rmSync(join(folder, part));
}
