/** What the tests that boot guests have in common. */
import { missingGuestTools } from '../../setup/tools.mjs';
import { findImages } from './images.js';

/**
 * Why no guest can be booted here without fetching anything, as the end of a title: "" when one can. In CI the set-up has
 * fetched what is needed.
 */
export function whyNoGuests(): string {
  const missing = missingGuestTools().map(({ name }) => name);
  const { kernel, root } = findImages({});
  if (kernel === undefined) missing.push('a fetched kernel');
  if (root === undefined) missing.push('a root image');
  return missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')} missing; \`macvlab lab prepare\` gets them)`;
}
