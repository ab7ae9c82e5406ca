/** The JUnit XML view of a switch port: one test per VLAN; see junit.ts for the conventions. */
import { answerWords, segmentName } from '../switch-port/answer.js';
import { addOutcome, addOutput, addSuite, addTest, junitDocument, pathFrom } from './junit-parts.js';
import type { PortReport } from './port-report.js';

/**
 * A report as JUnit: a VLAN that reflects has passed, one that does not has failed, and one of which nothing can be told is an error.
 * @param base the folder that paths are relative to
 */
export function portJunitXml(report: PortReport, folder: string, base = process.cwd()): string {
  const { segments, durationMs, host, nic, kernel, macvlab, id, startedAt } = report;
  const errors = segments.filter(({ kind }) => kind === 'cannot tell').length;
  const failures = segments.filter(({ kind }) => kind === 'does not reflect' || kind === 'reflects only').length;
  const name = `switch port of ${nic} on ${host}`;
  const counts = { tests: segments.length, failures, errors, durationMs };
  return junitDocument({ name: `macvlab ${id}`, ...counts }, (root) => {
    const properties = { kernel, macvlab, run: id, startedAt, answer: report.answer };
    const suite = addSuite(root, { name, ...counts, skipped: 0, startedAt, machine: host, properties });
    for (const segment of segments) {
      const { kind, cause, advice, evidence, remarks, observation, pcaps } = segment;
      const title = `${segmentName(segment.vlan)} reflects`;
      const test = addTest(suite, 'macvlab.validate-switch', title, observation.duration);
      const details = { details: [...evidence, ...remarks].join('\n'), next: advice };
      const words = answerWords(segment);
      if (kind === 'cannot tell') addOutcome(test, 'error', cause ?? 'CANNOT_TELL', words, details);
      else if (kind !== 'reflects') addOutcome(test, 'failure', cause ?? 'DOES_NOT_REFLECT', words, details);
      const values = { answer: words, frames: observation.frames, ...(cause !== undefined && { cause }) };
      addOutput(
        test,
        values,
        pcaps.map((file) => pathFrom(base, folder, file)),
      );
    }
  });
}
