/** The failures of a bisection that finds nothing, with the results of its kernels as evidence. */
import { MacvlabError } from '../../core/error.js';
import { failureRecord } from '../../run/failure.js';
import type { Failure } from '../../run/record.js';
import type { BisectionRecord } from './bisection-record.js';
import { type Performed, performedWords } from './criterion.js';

/** Good and bad give the same results, or one of them gives no verdict. */
export function noDifference(
  { experiments, kernels, good }: BisectionRecord,
  one: Performed,
  other: Performed,
): Failure {
  const id = experiments[0]?.id ?? '';
  const names = kernels.map(({ name }) => name);
  const [goodName = '', badName = ''] = good === 'oldest' ? [names[0], names.at(-1)] : [names.at(-1), names[0]];
  const controls = [
    { name: goodName, side: 'good', performed: one },
    { name: badName, side: 'bad', performed: other },
  ];
  const silent = controls.find(({ performed }) => !performed.records.some(isTelling));
  const evidence = controls.flatMap(({ name, side, performed }) => [
    `${name} (${side}): ${performedWords(performed)}`,
    ...performed.records
      .filter((record) => !isTelling(record))
      .map(
        ({ title, verdict, reason }) => `    ${id} ${title}: ${verdict}${reason === undefined ? '' : `: ${reason}`}`,
      ),
  ]);
  return failureRecord(
    new MacvlabError(
      'CONTROL_FAILED',
      silent
        ? `${silent.name} cannot tell what it does in ${id}, so that there is nothing to compare`
        : `${goodName} and ${badName} do the same in ${id}, so that there is nothing to look for between them`,
      {
        evidence: evidence.join('\n'),
        next:
          silent?.performed.failure?.next ??
          `see which kernels differ, and give two of them: macvlab matrix --kernels all ${id}`,
      },
    ),
  );
}

function isTelling({ verdict }: { verdict: string }): boolean {
  return verdict === 'passed' || verdict === 'failed';
}

/** No kernel between the two given ones gave a result. */
export function nothingTold({ kernels }: BisectionRecord): Failure {
  const tried = kernels.filter(({ finding }) => finding?.side === 'cannot tell');
  const who = tried.length === 1 ? 'the only kernel between' : `none of the ${tried.length} kernels between`;
  return failureRecord(
    new MacvlabError('CONTROL_FAILED', `${who} could${tried.length === 1 ? ' not' : ''} tell`, {
      evidence: tried.map(({ name, finding }) => `${name}: ${finding?.words ?? ''}`).join('\n'),
      next: 'look at the records and consoles in their folders; where they could not be fetched, see to the network',
    }),
  );
}
