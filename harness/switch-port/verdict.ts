/** Parts of the rules that judge a port. */
import type { Cause, SegmentAnswer } from './answer.js';
import type { Asker, Control } from './observation.js';

/** Facts about the port from its other VLANs. */
export interface Beside {
  /** Another VLAN of the port passes frames. */
  portPasses: boolean;
}

/** The result of one rule. */
export type Verdict = Pick<SegmentAnswer, 'kind' | 'advice'> & { what?: string; cause?: Cause };

/** The advice for a limit of MAC addresses. */
export const macLimitAdvice =
  'Raise the limit of MAC addresses on the port (`switchport port-security maximum` and the like) to one for the host and one for each child, or name the children’s addresses there.';

/** The children that have sent requests: those with a reply in the usual way, and those without. */
export function childrenOf(controls: readonly Control[]): { heard: Asker[]; silent: Asker[] } {
  const asked = (['child 1', 'child 2'] as const).filter((child) => controls.some(({ from }) => from === child));
  const heard = asked.filter((child) => isAnswered(controls, child));
  return { heard, silent: asked.filter((child) => !heard.includes(child)) };
}

/** Whether a child got a reply in a way that shows why it got none before. */
export function answeredBy(controls: readonly Control[], way: Control['way']): boolean {
  return controls.some((each) => each.way === way && each.from.startsWith('child') && each.answered !== 'no');
}

/** Whether a sender got a reply in the usual way. */
export function isAnswered(controls: readonly Control[], from: Asker): boolean {
  return controls.some((each) => each.from === from && each.way === 'usual' && each.answered !== 'no');
}

/** No answer, and why. */
export function cannotTell(cause: Cause, what: string, advice: string): Verdict {
  return { kind: 'cannot tell', cause, what, advice };
}
