/** The JUnit XML view of a switch port: one test per VLAN; see junit.ts for the conventions. */
import type { Failure } from '../../run/record.js';
import { answerWords, segmentName } from '../../switch-port/answer.js';
import { addOutcome, addOutput, addSuite, addTest, junitDocument, pathFrom } from '../run/junit-parts.js';
import type { PortAsked } from './record.js';
import type { PortReport } from './record.js';

/** The JUnit package of all tests. */
const className = 'macvlab.validate-switch';

/**
 * A report as JUnit: a VLAN that reflects has passed, one that does not has failed, and one without an answer is an
 * error.
 * @param base the folder that paths are relative to
 */
export function portJunitXml(report: PortReport, folder: string, base = process.cwd()): string {
  const { segments, durationMs, host, nic, kernel, macvlab, id, startedAt } = report;
  const errors = segments.filter(({ kind }) => kind === 'cannot tell').length;
  const failures = segments.filter(({ kind }) => kind === 'does not reflect' || kind === 'reflects only').length;
  const counts = { tests: segments.length, failures, errors, durationMs };
  return junitDocument({ name: `macvlab ${id}`, ...counts }, (root) => {
    const properties = { kernel, macvlab, run: id, startedAt, answer: report.answer };
    const name = suiteName(host, nic);
    const suite = addSuite(root, { name, ...counts, skipped: 0, startedAt, machine: host, properties });
    for (const segment of segments) {
      const { kind, cause, advice, evidence, remarks, observation, pcaps } = segment;
      const test = addTest(suite, className, titleOf(segment.vlan), observation.duration);
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

/** The JUnit XML for an error that ended the probe of a port: each chosen VLAN has this error. */
export function portErrorXml(
  failure: Failure,
  { host, nic, vlans }: PortAsked,
  { id, macvlab, startedAt, durationMs }: Pick<PortReport, 'id' | 'macvlab' | 'startedAt' | 'durationMs'>,
): string {
  const counts = { tests: vlans.length, failures: 0, errors: vlans.length, durationMs };
  return junitDocument({ name: `macvlab ${id}`, ...counts }, (root) => {
    const properties = { macvlab, run: id, startedAt };
    const name = suiteName(host, nic);
    const suite = addSuite(root, { name, ...counts, skipped: 0, startedAt, machine: host, properties });
    for (const vlan of vlans) {
      addOutcome(addTest(suite, className, titleOf(vlan), 0), 'error', failure.code, failure.message, failure);
    }
  });
}

function suiteName(host: string, nic: string): string {
  return `switch port of ${nic} on ${host}`;
}

function titleOf(vlan: number | 'untagged'): string {
  return `${segmentName(vlan)} reflects`;
}
