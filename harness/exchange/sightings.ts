/** Captured frames as a list for assertions. */
import { MacvlabError } from '../core/error.js';
import type { Sighting } from '../wire/capture.js';

/** A list of frames for assertions. `every` on an empty list is an error, because it would assert nothing. */
export class Sightings extends Array<Sighting> {
  /** @throws MacvlabError NO_EVIDENCE when the list is empty */
  override every<S extends Sighting>(
    holds: (value: Sighting, index: number, array: Sighting[]) => value is S,
  ): this is S[];
  override every(holds: (value: Sighting, index: number, array: Sighting[]) => unknown): boolean;
  override every(holds: (value: Sighting, index: number, array: Sighting[]) => unknown): boolean {
    if (this.length > 0) return super.every(holds);
    throw new MacvlabError('NO_EVIDENCE', 'something is said of every frame in a list that is empty', {
      next: 'let the experiment see frames first, or say that there are none: expect(ping).not.to.have.seen(…)',
    });
  }
}
