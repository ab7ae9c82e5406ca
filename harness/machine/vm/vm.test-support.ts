/** Support for tests that boot guests. */
import { missingGuestTools } from '../../setup/tools.mjs';
import { findImages } from '../../image/images.js';

/**
 * The reason why no guest can be booted here without a download, as the end of a title; "" if one can. In CI, the
 * set-up has downloaded the kernel and the root image.
 */
export function whyNoGuests(): string {
  const missing = missingGuestTools().map(({ name }) => name);
  const { kernel, root } = findImages({});
  if (kernel === undefined) missing.push('a fetched kernel');
  if (root === undefined) missing.push('a root image');
  return missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')} missing; \`macvlab lab prepare\` gets them)`;
}
