/** The programs of this machine that create a lab's images. */
import { MacvlabError } from './error.js';
import { findProgram, guestTools, installCommand } from '../setup/tools.mjs';

/**
 * The path of a program: an unprivileged user's PATH often lacks some folders.
 * @param need the program's purpose, where the list of tools does not have it
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
