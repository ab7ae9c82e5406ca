/** Checks what the Vagrant lab needs on this machine. It runs Vagrant, but starts no machine and fetches nothing. */
import { accessSync, constants, existsSync } from 'node:fs';
import { MacvlabError, messageOf } from '../../core/error.js';
import { findProgram, installCommand } from '../../setup/tools.mjs';
import type { Prerequisite } from '../driver.js';
import { findBox } from './box.js';
import { mayBeAlive } from '../detached/owner.js';
import { readClaim } from './claim.js';
import { findPrepared } from './prepared.js';
import { ownBox, readSettings, type Settings, variableOf } from './settings.js';
import { knownAcceleration } from '../qemu/acceleration.js';
import { joinLibvirt, startLibvirt, vagrant } from './vagrant-program.js';

const programs = [
  { name: 'vagrant', purpose: 'makes the machines' },
  { name: 'ssh', purpose: 'is Vagrant’s way into the machines' },
];

/** The programs that create the box, needed if it is missing. */
const makers = [
  { name: 'qemu-img', purpose: 'makes the box’s disk' },
  { name: 'mksquashfs', purpose: 'packs the box’s root' },
];

/** The sockets of libvirt's daemon: the common one, or the one for QEMU only. */
const sockets = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'];

export async function checkVagrant({ kernel }: { kernel?: string }): Promise<Prerequisite[]> {
  const settings = readSettings();
  const own = settings.box === ownBox;
  const tools = [...programs, ...(own && !findBox() ? makers : [])].map(({ name, purpose }): Prerequisite => {
    const path = findProgram(name);
    return {
      what: name,
      found: path !== undefined,
      detail: path ?? purpose,
      next: installCommand([name]) ?? `install ${name}`,
    };
  });
  const known = knownAcceleration();
  const wanted = kernel ?? (settings.kernel || undefined);
  const prepared = own ? findPrepared(wanted) : undefined;
  return [
    ...tools,
    ...(await checkProvider(settings, tools[0]?.found === true)),
    { what: 'box', found: true, detail: own ? (prepared?.box ?? 'none yet: the first lab makes it') : settings.box },
    ...(prepared ? [{ what: 'kernel', found: true, detail: prepared.release }] : []),
    {
      what: 'acceleration',
      found: true,
      detail: known ? `${known.kind}: ${known.why}` : 'not tried yet: the first lab does',
    },
    ...checkMachines(),
  ];
}

/** The process that has the machines, if there is one. */
function checkMachines(): Prerequisite[] {
  try {
    const claim = readClaim();
    if (!claim) return [];
    const { pid } = claim.owner;
    const detail = mayBeAlive(claim)
      ? `process ${pid} uses those of this checkout`
      : `process ${pid} was killed while it used those of this checkout${claim.made ? ': the next run removes them, or macvlab gc' : ''}`;
    return [{ what: 'machines', found: true, detail }];
  } catch (error) {
    const next = error instanceof MacvlabError ? error.next : '';
    return [{ what: 'machines', found: false, detail: messageOf(error), next }];
  }
}

async function checkProvider({ provider, uri }: Settings, asked: boolean): Promise<Prerequisite[]> {
  if (provider === 'virtualbox') {
    const path = findProgram('VBoxManage');
    return [
      {
        what: 'virtualbox',
        found: path !== undefined,
        detail: path ?? 'the provider',
        next: `install VirtualBox, or choose libvirt: ${variableOf('provider')}=libvirt`,
      },
    ];
  }
  return [...(asked ? [await checkPlugin()] : []), checkLibvirt(uri)];
}

async function checkPlugin(): Promise<Prerequisite> {
  const plugin = await pluginVersion();
  return {
    what: 'vagrant-libvirt',
    found: plugin.version !== undefined,
    detail: plugin.version ?? plugin.words,
    next: installCommand(['vagrant-libvirt']) ?? 'vagrant plugin install vagrant-libvirt',
  };
}

function checkLibvirt(uri: string): Prerequisite {
  const what = 'libvirt';
  if (uri !== '') return { what, found: true, detail: uri };
  const socket = sockets.find((file) => existsSync(file));
  if (socket === undefined) {
    return { what, found: false, detail: `none of its sockets is there: ${sockets.join(', ')}`, next: startLibvirt() };
  }
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
    return { what, found: true, detail: socket };
  } catch {
    return { what, found: false, detail: `${socket} is not for this user`, next: joinLibvirt };
  }
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
