/** What a test is asked when all that it has asserted holds: whether that rests on anything that the lab has shown. */
import { MacvlabError } from '../core/error.js';
import type { Lab } from '../lab/lab.js';
import type { TestRecord } from './record.js';

/**
 * A body that ends before what it has begun may assert something later, or nothing.
 * @throws MacvlabError NO_EVIDENCE
 */
export function refuseUnderWay({ pingsUnderWay }: Lab, id: string): void {
  if (pingsUnderWay === 0) return;
  throw new MacvlabError('NO_EVIDENCE', `${id} ended while a ping that it had begun was still under way`, {
    next: 'await it in the experiment: what comes of it later is not in its record',
  });
}

/**
 * Why a test that has passed proves nothing.
 * @param asked how many commands it has run
 */
export function whyEmpty(lab: Lab, { id, frames }: TestRecord, asked: number): MacvlabError | undefined {
  if (asked === 0) {
    return new MacvlabError('NO_EVIDENCE', `${id} has asked the lab nothing: what it asserts was known before`, {
      next: 'let the experiment itself do, or read, what it asserts something about',
    });
  }
  // A ping proves by frames: where captures have seen none at all, whatever ping itself says, nothing is proved.
  if (frames === 0 && lab.exchanges.some(({ outcome }) => outcome !== 'refused')) {
    return new MacvlabError('NO_EVIDENCE', `${id} has sent pings, and no capture has seen a frame`, {
      next: 'look at the captures in the lab: do they listen where frames pass?',
    });
  }
  // Also where nobody has called it lost: it may be asserted by its outcome, or not to be answered.
  const unseen = lab.exchanges.find(({ outcome, breakPoint }) => outcome === 'lost' && !breakPoint);
  if (!unseen) return undefined;
  const { from, to, reason } = unseen;
  return new MacvlabError('NO_EVIDENCE', `no frame of the ping from ${from.name} to ${to.name} was seen anywhere`, {
    evidence: reason,
    next: 'look whether it was sent at all, and whether the captures see what its sender sends',
  });
}
