/** That children are of the mode that an experiment is about: on the wire, some modes look like others. */
import { expect } from '../../harness/expect/expect.js';
import type { Endpoint } from '../../harness/lab/endpoint.js';
import type { MacvlanMode } from '../../harness/link/macvlan.js';

/** States the mode of each child, as the kernel showed it when it had been made. */
export function expectMode(endpoints: readonly Endpoint[], mode: MacvlanMode): void {
  for (const { name, mode: shown } of endpoints) expect(shown, `macvlan mode of ${name}’s child`).to.equal(mode);
}
