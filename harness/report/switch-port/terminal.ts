/** The terminal report of a switch port: per VLAN the answer, its evidence and the advice. */
import { answerWords, segmentName } from '../../switch-port/answer.js';
import type { PortReport } from './record.js';
import { oneLine } from '../text.js';

/** Lines; the answer for the port as a whole comes after them. */
export function portLines({ segments, frames, durationMs }: PortReport): string[] {
  return [
    ...segments.flatMap((segment) => [
      `${segmentName(segment.vlan)}: ${oneLine(answerWords(segment))}`,
      ...segment.evidence.map((line) => `  ${oneLine(line)}`),
      ...segment.remarks.map((line) => `  note: ${oneLine(line)}`),
      `  ${oneLine(segment.advice)}`,
      '',
    ]),
    `${frames} frames in ${Math.round(durationMs / 1000)} s`,
  ];
}
