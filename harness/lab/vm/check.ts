/** What guests need on this machine, found by looking; nothing is booted or fetched for it. */
import { MacvlabError } from '../../core/error.js';
import { findProgram, guestTools, installCommand, missingGuestTools } from '../../setup/tools.mjs';
import type { Finding } from '../driver.js';
import { engineFinding } from '../engine-tree.js';
import { knownAcceleration } from './acceleration.js';
import { findImages, type ImageOptions } from './images.js';

/** Looks for the programs, for what has been fetched and built already, and for what is known of KVM here. */
export function checkVm(options: Pick<ImageOptions, 'kernel'>): Promise<Finding[]> {
  const tools = guestTools.map(({ name, purpose }): Finding => {
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

/** @throws MacvlabError TOOL_MISSING naming all of them, with the command that installs them */
export function refuseWithoutPrograms(): void {
  const missing = missingGuestTools();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  throw new MacvlabError('TOOL_MISSING', `the vm lab needs ${names.join(', ')}, which this machine does not have`, {
    evidence: missing.map(({ name, purpose }) => `${name}: ${purpose}`).join('\n'),
    next: installCommand(names) ?? 'install them, then run `macvlab doctor --lab vm`',
  });
}
