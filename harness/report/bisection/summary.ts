/** A bisection over kernels in words: its progress and its result. */
import { join, relative } from 'node:path';
import type { BisectionRecord, Criterion, TriedKernel } from '../../matrix/bisect/bisection-record.js';
import { shownWords } from '../../matrix/bisect/criterion.js';
import { quoteCommand } from '../../remote/quote.js';
import { oneLine, visible } from '../text.js';

/** "X3.1 (6 experiments): 6.18.15 (good) to 7.2.13 (bad), 4 kernels between" */
export function bisectionOpening(record: BisectionRecord): string {
  const { experiments, kernels, seriesOnly } = record;
  const id = experiments[0]?.id ?? '';
  const what =
    experiments.length === 1 ? `${id} ${experiments[0]?.title ?? ''}` : `${id} (${experiments.length} experiments)`;
  const { good, bad } = endsOf(record);
  const between = `${kernels.length - 2} kernel${kernels.length === 3 ? '' : 's'} between`;
  return `${what}: ${good?.name ?? ''} (good) to ${bad?.name ?? ''} (bad), ${between}${seriesOnly ? ', of each series the newest' : ''}`;
}

/** The differences between good and bad, below the experiment's title. */
export function criteriaLines({ criteria, experiments }: Pick<BisectionRecord, 'criteria' | 'experiments'>): string[] {
  const labelOf = (key: string) => {
    const experiment = experiments.find((each) => each.key === key);
    return experiment ? `${experiment.id} ${experiment.title}` : key;
  };
  return criteria.flatMap(({ experiment, value, good, bad }, index) => [
    ...(criteria[index - 1]?.experiment === experiment ? [] : [`  ${oneLine(labelOf(experiment))}`]),
    `    ${value === undefined ? '' : `${oneLine(value)}: `}${words(good)} on the good kernel, ${words(bad)} on the bad one`,
  ]);
}

/** "step 2 of about 4: 6.16.12 ..." */
export function stepLine(kernels: readonly TriedKernel[], step: number, of: number): string {
  const names = kernels.map(({ name }) => name).join(', ');
  return step === 0 ? `first, as a control: ${names} …` : `step ${step} of about ${of}: ${names} …`;
}

/** "  6.16.12: good: copies of a reflected multicast: 1" */
export function triedLine({ name, finding, step }: TriedKernel, told: string): string {
  return `  ${name}: ${finding && step !== 0 ? `${finding.side}: ` : ''}${oneLine(told)}`;
}

/** The result, or why there is none; its last line is for programs. @param folder the bisection's, absolute */
export function bisectionSummary(folder: string, record: BisectionRecord): string[] {
  const { answer, failure } = record;
  if (!answer || failure) {
    return [
      ...(failure ? failureLines(record, folder) : []),
      ...(record.interrupted ? ['interrupted before good and bad were both known: nothing can be said yet'] : []),
      lastLine(folder, record),
    ];
  }
  const nameOf = (spec: string) => record.kernels.find((each) => each.spec === spec)?.name ?? spec;
  const [good, bad] = [nameOf(answer.good), nameOf(answer.bad)];
  const silent = answer.cannotTell.map(nameOf).join(', ');
  const headline = record.interrupted
    ? `interrupted: so far, the change is between ${good} (good) and ${bad} (bad), with ${answer.untried.length} not tried`
    : answer.cannotTell.length > 0
      ? `the change is between ${good} (good) and ${bad} (bad); ${silent} could not tell`
      : record.good === 'oldest'
        ? `${bad} is the first bad kernel, ${good} the last good one`
        : `${good} is the first good kernel, ${bad} the last bad one`;
  return [
    headline,
    ...neighbourLines(folder, record),
    ...(answer.otherwise.length > 0
      ? [
          `there is more than one change: ${answer.otherwise.map(nameOf).join(', ')} told otherwise than this one would have it`,
        ]
      : []),
    ...nextLines(record, good, bad),
    lastLine(folder, record),
  ];
}

/** The kernels next to the change, and those without a result, with origin, result and evidence. */
function neighbourLines(folder: string, { kernels, answer }: BisectionRecord): string[] {
  const concerned = answer ? [answer.good, answer.bad, ...answer.cannotTell] : [];
  return kernels
    .filter(({ spec }) => concerned.includes(spec))
    .flatMap(({ release, origin, finding, folder: run }) => [
      `  ${finding?.side ?? 'not performed'}: ${release} (${origin ?? ''})`,
      ...(finding ? [`    ${oneLine(finding.words)}`] : []),
      ...(run === undefined ? [] : [`    evidence: ${fromHere(join(folder, run))}`]),
    ]);
}

function nextLines({ answer, interrupted, seriesOnly, filter }: BisectionRecord, good: string, bad: string): string[] {
  if (!answer || (!interrupted && !seriesOnly)) return [];
  const series = interrupted && seriesOnly ? ['--series'] : [];
  const command = quoteCommand(['macvlab', 'bisect', '--good', answer.good, '--bad', answer.bad, ...series, filter]);
  return [`${interrupted ? 'to go on' : `all kernels between ${good} and ${bad}`}: ${command}`];
}

function failureLines({ failure, kernels }: BisectionRecord, folder: string): string[] {
  if (!failure) return [];
  const { code, message, details, next } = failure;
  const evidence = details === undefined ? [] : visible(details).split('\n');
  const runs = kernels.flatMap(({ name, folder: run }) =>
    run === undefined ? [] : [`evidence of ${name}: ${fromHere(join(folder, run))}`],
  );
  return [`${code}: ${message}`, ...[...evidence, ...runs].map((line) => `    ${line}`), `  next: ${next ?? ''}`];
}

/** In a stable format: an unknown value is "-". */
function lastLine(folder: string, { answer, failure, kernels, interrupted }: BisectionRecord): string {
  const known = answer && !failure ? answer : undefined;
  const steps = Math.max(0, ...kernels.map(({ step = 0 }) => step));
  const exact = known !== undefined && !interrupted && known.cannotTell.length + known.untried.length === 0;
  return [
    'bisection:',
    `good=${known?.good ?? '-'}`,
    `bad=${known?.bad ?? '-'}`,
    `exact=${exact ? 'yes' : 'no'}`,
    `steps=${steps}`,
    `record=${fromHere(join(folder, 'bisection.json'))}`,
  ].join(' ');
}

function endsOf({ kernels, good }: BisectionRecord): { good: TriedKernel | undefined; bad: TriedKernel | undefined } {
  const [oldest, newest] = [kernels[0], kernels.at(-1)];
  return good === 'oldest' ? { good: oldest, bad: newest } : { good: newest, bad: oldest };
}

function words(shown: Criterion['good']): string {
  return oneLine(shownWords(shown));
}

/** A path for the command line: relative if that is shorter. */
function fromHere(path: string): string {
  const relativePath = relative(process.cwd(), path);
  return relativePath.length < path.length ? relativePath : path;
}
