/** The content of the box: a lab's programs, and everything that Vagrant needs to reach a machine and become root there. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type RootRecipe, rootRecipe } from '../../image/root-recipe.js';
import { packageFolder } from './package-folder.js';

/** The name of the file that is not part of the root: it is next to it in the box. */
const boxVagrantfile = 'Vagrantfile';

/** The box's own files, by their paths in the root. */
function ownFiles(): Record<string, string> {
  const folder = join(packageFolder, 'vagrant/box');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => relative(folder, file) !== boxVagrantfile)
    .sort();
  return Object.fromEntries(files.map((file) => [relative(folder, file), readFileSync(file, 'utf8')]));
}

/** The programs among them. */
export function ownPrograms(): string[] {
  return Object.keys(ownFiles()).filter(
    (name) => (statSync(join(packageFolder, 'vagrant/box', name)).mode & 0o100) !== 0,
  );
}

/** The Vagrantfile inside the box. */
export function boxVagrantfileText(): string {
  return readFileSync(join(packageFolder, 'vagrant/box', boxVagrantfile), 'utf8');
}

export function boxRecipe(): RootRecipe {
  const files = ownFiles();
  const line = (name: string, more: string) => `${rootRecipe.files[name] ?? ''}${more}`;
  return {
    ...rootRecipe,
    packages: [...rootRecipe.packages, 'bash', 'sudo', 'libpam-modules', 'mawk'],
    // Vagrant copies its scripts by scp
    leftOut: [
      ...rootRecipe.leftOut.filter((name) => name !== 'openssh-client'),
      'libpam-modules-bin',
      'libpam-runtime',
      'base-files',
      'debianutils',
    ],
    kept: [...rootRecipe.kept, 'usr/libexec/sudo', 'usr/lib/sudo'],
    // sudo needs PAM's modules, which other roots omit
    dropped: rootRecipe.dropped.filter((name) => !name.endsWith('/security')),
    folders: [
      ...rootRecipe.folders,
      ...['home', 'usr/local', 'usr/local/sbin', 'usr/share/misc'],
      ...['etc/init.d', 'etc/pam.d', 'etc/macvlab', 'var/lib/sudo'],
    ],
    files: {
      ...rootRecipe.files,
      'etc/passwd': line('etc/passwd', 'vagrant:*:1000:1000:vagrant:/home/vagrant:/bin/sh\n'),
      'etc/group': line('etc/group', 'vagrant:x:1000:\n'),
      'etc/shadow': line('etc/shadow', 'vagrant:*:1::::::\n'),
      'etc/hosts': `${rootRecipe.files['etc/hosts']}127.0.1.1 node1 node2 switch\n`,
      ...files,
    },
    commands: [...rootRecipe.commands, 'sudo', 'udhcpc', 'init', 'hostname', 'bash', 'scp'],
  };
}
