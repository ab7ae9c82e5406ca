/** Creates the error for a lab that following experiments cannot use. */
import { MacvlabError } from '../core/error.js';

/** @param what the cause of the damage, as a sentence @returns LAB_DAMAGED */
export function unusableLab(what: string): MacvlabError {
  return new MacvlabError('LAB_DAMAGED', what, {
    next: 'look at what could not be undone in the record of that test; later tests need a lab without it',
  });
}
