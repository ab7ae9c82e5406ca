/** The programs of this machine that a lab's images are made with. */
import { MacvlabError } from '../core/error.js';
import { findProgram, guestTools, installCommand } from '../setup/tools.mjs';

/**
 * Where a program is: an unprivileged user's PATH often lacks the folders of some.
 * @param need what the program is needed for, where the list of tools does not say so
 * @throws MacvlabError TOOL_MISSING with the command that installs it
 */
export function hostTool(name: string, need?: string): string {
  const file = findProgram(name);
  if (file !== undefined) return file;
  throw new MacvlabError('TOOL_MISSING', `this lab needs ${name}, which this machine does not have`, {
    evidence: `${name}: ${need ?? guestTools.find((tool) => tool.name === name)?.purpose ?? 'needed for the lab’s images'}`,
    next: installCommand([name]) ?? `install ${name}`,
  });
}
