/** What tests ask of what is lacking. */
import { expect } from 'chai';
import { Lacking } from './lacking.js';

/** Why work could not be done, in the words of a skipped experiment. */
export async function lacking(work: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      (value) => expect.fail(`nothing was lacking; it gave ${JSON.stringify(value)}`),
      (reason: unknown) => reason,
    );
  if (error instanceof Lacking) return error.message;
  throw error as Error;
}
