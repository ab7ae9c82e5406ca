/** What rules of judgement are written with. */
import type { Cause, SegmentAnswer } from './answer.js';
import type { Asker, Control } from './observation.js';

/** What is known of the port beside one VLAN. */
export interface Beside {
  /** Another VLAN of the port passes frames. */
  portPasses: boolean;
}

/** What one rule has to say. */
export type Verdict = Pick<SegmentAnswer, 'kind' | 'advice'> & { what?: string; cause?: Cause };

/** What is done about a limit of addresses. */
export const macLimitAdvice =
  'Raise the limit of MAC addresses on the port (`switchport port-security maximum` and the like) to one for the host and one for each child, or name the children’s addresses there.';

/** The children that have asked: those who were answered in the usual way, and those who were not. */
export function childrenOf(controls: readonly Control[]): { heard: Asker[]; silent: Asker[] } {
  const asked = (['child 1', 'child 2'] as const).filter((child) => controls.some(({ from }) => from === child));
  const heard = asked.filter((child) => isAnswered(controls, child));
  return { heard, silent: asked.filter((child) => !heard.includes(child)) };
}

/** Whether a child was answered when asking in a way that tells why it was not. */
export function answeredBy(controls: readonly Control[], way: Control['way']): boolean {
  return controls.some((each) => each.way === way && each.from.startsWith('child') && each.answered !== 'no');
}

/** Whether somebody was answered in the usual way. */
export function isAnswered(controls: readonly Control[], from: Asker): boolean {
  return controls.some((each) => each.from === from && each.way === 'usual' && each.answered !== 'no');
}

/** No answer, and why. */
export function cannotTell(cause: Cause, what: string, advice: string): Verdict {
  return { kind: 'cannot tell', cause, what, advice };
}
