/** Asserts that children have the mode of the experiment: on the wire, some modes look like others. */
import { expect } from '../../harness/expect/expect.js';
import type { Endpoint } from '../../harness/lab/endpoint.js';
import type { MacvlanMode } from '../../harness/link/macvlan.js';

/** Asserts the mode of each child, as the kernel shows it after creation. */
export function expectMode(endpoints: readonly Endpoint[], mode: MacvlanMode): void {
  for (const { name, mode: shown } of endpoints) expect(shown, `macvlan mode of ${name}’s child`).to.equal(mode);
}
