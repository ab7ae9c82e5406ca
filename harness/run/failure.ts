/** Converts thrown values to failures of records. A failed assertion is distinguished from an error of ours. */
import { MacvlabError, messageOf } from '../core/error.js';
import type { Failure } from './record.js';

/** Converts any thrown value to a failure. The code is ASSERTION if the kernel or the switch did not behave as expected. */
export function failureRecord(error: unknown): Failure {
  if (error instanceof MacvlabError) {
    const { code, message, next, evidence } = error;
    return { code, message, next, ...(evidence ? { details: evidence } : {}) };
  }
  const [message = '', ...rest] = messageOf(error).split('\n');
  if (error instanceof Error && error.name === 'AssertionError') {
    return {
      code: 'ASSERTION',
      message,
      next: 'look at the frames and pcaps in the evidence; repro.sh repeats the steps without macvlab',
      ...(rest.length > 0 ? { details: rest.join('\n') } : {}),
    };
  }
  return {
    code: 'INTERNAL',
    message,
    details: (error instanceof Error && error.stack) || String(error),
    next: 'this is a bug of macvlab or of the suite: report it with this stack',
  };
}
