/** Checks of errors in tests. */
import { expect } from 'chai';
import { MacvlabError } from './error.js';

/** The harness's error of a rejected promise. */
export async function errorOf(work: Promise<unknown>): Promise<MacvlabError> {
  const error = await work.then(
    (value) => expect.fail(`it did not fail, but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(MacvlabError);
  return error as MacvlabError;
}
