/** What makes a lab unusable for the experiments that follow. */
import { MacvlabError } from '../core/error.js';

/** @param what has damaged the lab, as a sentence @returns LAB_DAMAGED */
export function damaged(what: string): MacvlabError {
  return new MacvlabError('LAB_DAMAGED', what, {
    next: 'look at what could not be undone in the record of that test; later tests need a lab without it',
  });
}
