/** Answers to the question whether a switch port reflects, as text for scripts and people. */

export type AnswerKind = 'reflects' | 'does not reflect' | 'reflects only' | 'cannot tell';

/** Conditions that look like an answer, or accompany one. Each has a name, so that the user can correct it. */
export type Cause =
  | 'a loop or a mirror'
  | 'MAC limit'
  | 'foreign MACs dropped'
  | 'NIC filter'
  | 'host filter'
  | 'VLAN not allowed'
  | 'spanning tree'
  | 'storm control'
  | 'port isolation'
  | 'nobody answers'
  | 'nobody to ask'
  | 'frames lost by a capture'
  | 'port down';

/** The answer for one VLAN of a port. */
export interface SegmentAnswer {
  vlan: number | 'untagged';
  kind: AnswerKind;
  /** The text after `reflects only` and `cannot tell:`. */
  what?: string;
  cause?: Cause;
  /** One sentence that a network engineer can act on. */
  advice: string;
  /** Further observations, one per line: "frames were held back for 8 s". */
  remarks: string[];
  /** Frames and counts on which the answer is based, one per line. */
  evidence: string[];
}

/** The answer for a port. */
export interface PortAnswer {
  kind: AnswerKind;
  what?: string;
  segments: SegmentAnswer[];
}

/** Exit codes for scripts; 2 is wrong usage. */
const answerExit = { reflects: 0, doesNot: 1, cannotTell: 3 } as const;

/** "untagged", "VLAN 10" */
export function segmentName(vlan: number | 'untagged'): string {
  return vlan === 'untagged' ? 'untagged' : `VLAN ${vlan}`;
}

/** "of untagged frames", "in VLAN 10" */
export function inSegment(vlan: number | 'untagged'): string {
  return vlan === 'untagged' ? 'of untagged frames' : `in VLAN ${vlan}`;
}

/** The text of an answer on the last line: "reflects only broadcast", "cannot tell: …". */
export function answerWords({ kind, what }: Pick<PortAnswer, 'kind' | 'what'>): string {
  if (what === undefined) return kind;
  return kind === 'cannot tell' ? `${kind}: ${what}` : `${kind} ${what}`;
}

/** Combines the answers for the VLANs into the answer for the port: it reflects if it does so in each of them. */
export function portAnswer(segments: SegmentAnswer[]): PortAnswer {
  const [first] = segments;
  if (!first) throw new TypeError('no VLAN was looked at');
  const words = new Set(segments.map(answerWords));
  if (words.size === 1) return { kind: first.kind, ...(first.what !== undefined && { what: first.what }), segments };
  const each = (list: SegmentAnswer[]) => list.map((one) => `${segmentName(one.vlan)}: ${answerWords(one)}`).join('; ');
  const good = segments.filter(({ kind }) => kind === 'reflects');
  const others = segments.filter(({ kind }) => kind !== 'reflects');
  if (good.length > 0) {
    const names = good.map(({ vlan }) => (vlan === 'untagged' ? vlan : `in ${segmentName(vlan)}`)).join(' and ');
    // That a VLAN does not pass is an answer, if others pass.
    const isKnown = others.every(({ kind, cause }) => kind !== 'cannot tell' || cause === 'VLAN not allowed');
    if (isKnown) return { kind: 'reflects only', what: `${names} (${each(others)})`, segments };
  }
  if (segments.every(({ kind }) => kind === 'does not reflect')) return { kind: 'does not reflect', segments };
  if (segments.some(({ kind }) => kind === 'reflects only')) {
    return { kind: 'reflects only', what: `in part (${each(segments)})`, segments };
  }
  if (segments.some(({ kind }) => kind === 'does not reflect') && good.length === 0) {
    return { kind: 'does not reflect', what: `as far as can be told (${each(segments)})`, segments };
  }
  return { kind: 'cannot tell', what: each(others), segments };
}

/** The exit code for an answer. */
export function exitOf({ kind }: Pick<PortAnswer, 'kind'>): number {
  if (kind === 'reflects') return answerExit.reflects;
  return kind === 'cannot tell' ? answerExit.cannotTell : answerExit.doesNot;
}
