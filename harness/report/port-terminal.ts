/** The report of a switch port on a terminal: per VLAN the answer, what it rests on, and what to do. */
import { answerWords, segmentName } from '../switch-port/answer.js';
import type { PortReport } from './port-report.js';
import { oneLine } from './text.js';

/** Lines; the answer for the port as a whole stands behind them. */
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
