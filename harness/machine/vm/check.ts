/** The check of the vm lab's prerequisites: it boots and downloads nothing. */
import { MacvlabError } from '../../core/error.js';
import { findProgram, guestTools, installCommand, missingGuestTools } from '../../setup/tools.mjs';
import type { Prerequisite } from '../driver.js';
import { engineFinding } from '../../image/engine-tree.js';
import { knownAcceleration } from '../qemu/acceleration.js';
import { findImages, type ImageOptions } from '../../image/images.js';

/** Looks for the programs, for the kernel and the images, and for the recorded result of the KVM probe. */
export function checkVm(options: Pick<ImageOptions, 'kernel'>): Promise<Prerequisite[]> {
  const tools = guestTools.map(({ name, purpose }): Prerequisite => {
    const path = findProgram(name);
    const next = installCommand([name]) ?? `install ${name}`;
    return { what: name, found: path !== undefined, detail: path ?? purpose, next };
  });
  const images = findImages(options);
  const acceleration = knownAcceleration();
  return Promise.resolve([
    ...tools,
    { what: 'kernel', found: true, detail: images.kernel ?? 'none yet: the first lab fetches it' },
    { what: 'root image', found: true, detail: images.root ?? 'none yet: the first lab builds it' },
    engineFinding(),
    {
      what: 'acceleration',
      found: true,
      detail: acceleration ? `${acceleration.kind}: ${acceleration.why}` : 'not tried yet: the first lab does',
    },
  ]);
}

/** @throws MacvlabError TOOL_MISSING with all missing programs, and the command that installs them */
export function refuseWithoutPrograms(): void {
  const missing = missingGuestTools();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  throw new MacvlabError('TOOL_MISSING', `the vm lab needs ${names.join(', ')}, which this machine does not have`, {
    evidence: missing.map(({ name, purpose }) => `${name}: ${purpose}`).join('\n'),
    next: installCommand(names) ?? 'install them, then run `macvlab doctor --lab vm`',
  });
}
