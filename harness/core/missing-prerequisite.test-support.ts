/** Checks of missing prerequisites in tests. */
import { expect } from 'chai';
import { MissingPrerequisite } from './missing-prerequisite.js';

/** Why work was impossible, with the text of a skipped experiment. */
export async function lacking(work: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      (value) => expect.fail(`nothing was lacking; it gave ${JSON.stringify(value)}`),
      (reason: unknown) => reason,
    );
  if (error instanceof MissingPrerequisite) return error.message;
  throw error as Error;
}
