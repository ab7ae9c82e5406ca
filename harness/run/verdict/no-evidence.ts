/** Reasons why an experiment proves nothing although all its assertions hold: the lab has shown nothing to support them. */
import { MacvlabError } from '../../core/error.js';
import type { Facts } from './facts.js';

/** @returns NO_EVIDENCE */
export function assertedNothing({ id, assertions }: Facts): MacvlabError | undefined {
  if (assertions > 0) return undefined;
  return new MacvlabError('NO_EVIDENCE', `${id} ended without having asserted anything`, {
    next: 'let the experiment state its outcome with expect(), and await all that it begins',
  });
}

/** A body that ends before its pings may assert something later, or nothing. @returns NO_EVIDENCE */
export function stillUnderWay({ id, pingsUnderWay }: Facts): MacvlabError | undefined {
  if (pingsUnderWay === 0) return undefined;
  return new MacvlabError('NO_EVIDENCE', `${id} ended while a ping that it had begun was still under way`, {
    next: 'await it in the experiment: what comes of it later is not in its record',
  });
}

/** @returns NO_EVIDENCE */
export function askedNothing({ id, asked }: Facts): MacvlabError | undefined {
  if (asked > 0) return undefined;
  return new MacvlabError('NO_EVIDENCE', `${id} has asked the lab nothing: what it asserts was known before`, {
    next: 'let the experiment itself do, or read, what it asserts something about',
  });
}

/** Frames prove a ping. If captures recorded no frame, nothing is proved, even if ping prints a reply. @returns NO_EVIDENCE */
export function sawNothing({ id, frames, pings }: Facts): MacvlabError | undefined {
  if (frames > 0 || pings.every(({ outcome }) => outcome === 'refused')) return undefined;
  return new MacvlabError('NO_EVIDENCE', `${id} has sent pings, and no capture has seen a frame`, {
    next: 'look at the captures in the lab: do they listen where frames pass?',
  });
}

/** Also if no assertion expects a loss: an experiment may assert the outcome, or that it is not answered. @returns NO_EVIDENCE */
export function lostUnseen({ pings }: Facts): MacvlabError | undefined {
  const unseen = pings.find(({ outcome, wasSeen }) => outcome === 'lost' && !wasSeen);
  if (!unseen) return undefined;
  return new MacvlabError('NO_EVIDENCE', `no frame of the ping from ${unseen.way} was seen anywhere`, {
    evidence: unseen.reason,
    next: 'look whether it was sent at all, and whether the captures see what its sender sends',
  });
}

/** A result that no assertion has read is not proved, for example if a constant follows a ping. @returns NO_EVIDENCE */
export function askedAboutNothing({ id, pings, readings }: Facts): MacvlabError | undefined {
  if (readings > 0 || pings.length === 0 || pings.some(({ wasConsulted }) => wasConsulted)) return undefined;
  return new MacvlabError('NO_EVIDENCE', `${id} has sent pings, and asserts nothing about any of them`, {
    next: 'let the experiment assert what became of its pings: expect(ping).to.be.answered()',
  });
}
