/** The steps of an exchange: ARP or neighbour discovery, then echo request and reply, each with the views that its frame passes. */

import type { View } from '../wire/capture-point.js';
import {
  arpReply,
  arpRequest,
  echoReply,
  echoRequest,
  type FramePattern,
  neighbourAdvertisement,
  neighbourSolicitation,
} from '../wire/pattern.js';
import { type Station, type Family, pathBetween } from './station.js';

/** One step of an exchange, such as its ARP request: a pattern for its frame, and the views that the frame passes, in order. */
export interface Step {
  name: string;
  pattern: FramePattern;
  path: readonly View[];
}

/** The steps of a ping between two stations. @param token payload bytes that identify the echo frames */
export function stepsOf(
  from: Station,
  to: Station,
  source: string,
  target: string,
  token: string,
  family: Family,
): Step[] {
  const there = pathBetween(from, to);
  const back = pathBetween(to, from);
  const echo = { token };
  const discovery: Step[] =
    family === 4
      ? [
          { name: 'ARP request', pattern: arpRequest({ who: target, tell: source }), path: there },
          { name: 'ARP reply', pattern: arpReply({ from: target, tell: source }), path: back },
        ]
      : [
          { name: 'neighbour solicitation', pattern: neighbourSolicitation({ target, from: source }), path: there },
          { name: 'neighbour advertisement', pattern: neighbourAdvertisement({ target, to: from.mac }), path: back },
        ];
  return [
    ...discovery,
    { name: 'echo request', pattern: echoRequest(echo), path: there },
    { name: 'echo reply', pattern: echoReply(echo), path: back },
  ];
}
