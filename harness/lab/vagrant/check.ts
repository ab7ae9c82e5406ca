/** What the Vagrant lab needs on this machine, found by looking and by asking Vagrant; nothing is started or fetched. */
import { existsSync } from 'node:fs';
import { messageOf } from '../../core/error.js';
import { findProgram, installCommand } from '../../setup/tools.mjs';
import type { Finding } from '../driver.js';
import { findBox } from './box.js';
import { readClaim } from './claim.js';
import { findPrepared } from './prepared.js';
import { ownBox, readSettings } from './settings.js';
import type { GuestKnowledge } from './vagrant.js';
import { vagrant } from './vagrant-program.js';

const programs = [
  { name: 'vagrant', purpose: 'makes the machines' },
  { name: 'ssh', purpose: 'is Vagrant’s way into the machines' },
];

/** What makes the box, where it is not there. */
const makers = [
  { name: 'qemu-img', purpose: 'makes the box’s disk' },
  { name: 'mksquashfs', purpose: 'packs the box’s root' },
];

/** Where libvirt's daemon listens: one for all, or the one for QEMU alone. */
const sockets = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'];

export async function checkVagrant({
  kernel,
  guests,
}: {
  kernel?: string;
  guests: GuestKnowledge;
}): Promise<Finding[]> {
  const settings = readSettings();
  const own = settings.box === ownBox;
  const tools = [...programs, ...(own && !findBox() ? makers : [])].map(({ name, purpose }): Finding => {
    const path = findProgram(name);
    return {
      what: name,
      found: path !== undefined,
      detail: path ?? purpose,
      next: installCommand([name]) ?? `install ${name}`,
    };
  });
  const known = guests.known();
  const wanted = kernel ?? (settings.kernel || undefined);
  const prepared = own ? findPrepared(wanted) : undefined;
  const claim = readClaim();
  return [
    ...tools,
    ...(tools[0]?.found ? await checkProvider(settings.provider, settings.uri) : []),
    { what: 'box', found: true, detail: own ? (prepared?.box ?? 'none yet: the first lab makes it') : settings.box },
    ...(prepared ? [{ what: 'kernel', found: true, detail: prepared.release }] : []),
    {
      what: 'acceleration',
      found: true,
      detail: known ? `${known.kind}: ${known.why}` : 'not tried yet: the first lab does',
    },
    ...(claim
      ? [
          {
            what: 'machines',
            found: true,
            detail: `process ${claim.owner.pid} has used, or uses, those of this checkout`,
          },
        ]
      : []),
  ];
}

async function checkProvider(provider: string, uri: string): Promise<Finding[]> {
  if (provider === 'virtualbox') {
    const path = findProgram('VBoxManage');
    return [
      {
        what: 'virtualbox',
        found: path !== undefined,
        detail: path ?? 'the provider',
        next: 'install VirtualBox, or choose libvirt',
      },
    ];
  }
  const plugin = await pluginVersion();
  const socket = uri === '' ? sockets.find((file) => existsSync(file)) : uri;
  return [
    {
      what: 'vagrant-libvirt',
      found: plugin.version !== undefined,
      detail: plugin.version ?? plugin.words,
      next: installCommand(['vagrant-libvirt']) ?? 'vagrant plugin install vagrant-libvirt',
    },
    {
      what: 'libvirt',
      found: socket !== undefined,
      detail: socket ?? `none of its sockets is there: ${sockets.join(', ')}`,
      next: `${installCommand(['libvirtd']) ?? 'install libvirt'} && systemctl start libvirtd`,
    },
  ];
}

async function pluginVersion(): Promise<{ version?: string; words: string }> {
  try {
    const list = await vagrant(['plugin', 'list'], { what: 'list its plugins', environment: {} });
    const version = /^vagrant-libvirt \(([^,)]+)/m.exec(list)?.[1];
    return { ...(version !== undefined && { version }), words: 'the provider: Vagrant’s plugin for libvirt' };
  } catch (error) {
    return { words: messageOf(error) };
  }
}
