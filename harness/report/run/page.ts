/** The page of a run: what happened in one sentence, then what needs attention, then each experiment with its network and its frames. */
import { z } from 'zod';
import { groupBy } from '../../core/group.js';
import type { TestFrames, TestPing } from '../../run/evidence/test-frames.js';
import { readEvidence } from '../../run/read-run.js';
import type { Evidence, RunResults, TestRecord, Verdict } from '../../run/record.js';
import {
  type Block,
  code,
  type Document,
  list,
  type Section,
  type Span,
  strong,
  text,
  word,
} from '../document/document.js';
import { renderHtml } from '../document/render-html.js';
import { ladderOf, ladderSvg } from '../drawing/ladder.js';
import { networkOf, networkSvg } from '../drawing/network.js';
import { duration } from '../text.js';
import { framePathCommand } from './frame-path.js';
import { countVerdicts, shortfall } from './outcome.js';

/** The name of a run's page in its folder. */
export const pageFile = 'report.html';

/** TestFrames of test-frames.ts, as JSON. */
const testFrames: z.ZodType<TestFrames> = z.object({
  schema: z.literal(1),
  points: z.array(z.string()),
  pings: z.array(
    z.object({
      ...{ from: z.string(), to: z.string(), target: z.string(), reason: z.string() },
      outcome: z.enum(['answered', 'misdelivered', 'lost', 'refused']),
      expected: z.string().exactOptional(),
      lost: z
        .object({ step: z.string(), last: z.string().exactOptional(), missing: z.string().exactOptional() })
        .exactOptional(),
    }),
  ),
  frames: z.array(
    z.object({
      id: z.number(),
      text: z.string(),
      kind: z.enum(['ping', 'witness', 'other']),
      lostOf: z.number().exactOptional(),
      seen: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
  omitted: z.number(),
});

/** Bytes above which a page is slow to open. */
const large = 10_000_000;

/** "2.9 MB", with a warning if a browser will be slow with it. */
export function pageSize(page: string): string {
  const bytes = Buffer.byteLength(page);
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes > large ? `${size}: a browser may be slow with it; run fewer experiments at a time` : size;
}

/** Characters of the commands and frames of one test that a page contains. The files have all. */
const mostText = 40_000;

/** The page for a run's folder: links to files are relative to it. Evidence that is missing is left out. */
export function runPage(results: RunResults): string {
  return renderHtml(runDocument(results));
}

/** A run as a document. */
function runDocument(results: RunResults): Document {
  const { run, records } = results;
  return {
    title: `macvlab run ${run.id}`,
    lead: [text(strong(sentence(results))), text(about(results))],
    sections: [...problems(results), ...suites(results), slowest(records)],
  };
}

/** "2 of 224 experiments failed: the kernel or the switch did not do what was expected." */
function sentence(results: RunResults): string {
  const { records } = results;
  const { passed, failed, skipped, error } = countVerdicts(records);
  const missing = shortfall(results);
  const parts = [
    ...(failed > 0
      ? [`${failed} of ${records.length} experiments failed: the kernel or the switch did not do what was expected`]
      : []),
    ...(error > 0 ? [`${error} ended with an error, which says nothing about the kernel`] : []),
    ...(failed + error === 0 ? [`All ${passed} experiments that ran passed`] : [`${passed} passed`]),
    ...(skipped > 0 ? [`${skipped} were skipped`] : []),
    ...(missing ? [missing.message] : []),
  ];
  return `${parts.join('; ')}.`;
}

function about({ run }: RunResults): string {
  const parts = [
    `Lab ${run.lab}`,
    ...(run.kernel === '' ? [] : [`Linux ${run.kernel}`]),
    `machine ${run.machine}`,
    `begun ${run.startedAt}`,
    ...(run.durationMs === undefined ? [] : [duration(run.durationMs)]),
    `macvlab ${run.macvlab}`,
  ];
  return parts.join(', ');
}

/** What needs attention: failures and errors, then the reasons of skips. */
function problems(results: RunResults): Section[] {
  const { records } = results;
  const bad = records.filter(isBad);
  const missing = shortfall(results);
  const skipped = groupBy(
    records.filter(({ verdict }) => verdict === 'skipped'),
    ({ reason = 'no reason was recorded' }) => reason,
  );
  const items = [
    ...(missing ? [{ text: [word('error', 'error'), ` ${missing.message}. Next: ${missing.next ?? ''}`] }] : []),
    ...bad.map((record) => ({
      text: [word(record.verdict as 'failed' | 'error', record.verdict), ' ', linkTo(record)],
      below: [text(record.reason ?? record.failure?.message ?? ''), ...nextStep(record)],
    })),
  ];
  const reasons = [...skipped].map(([reason, tests]) => ({
    text: [word('skipped', `${tests.length} skipped`), ` ${reason}`],
    below: [
      { kind: 'folded' as const, title: 'which', blocks: list(tests.map((record) => ({ text: [linkTo(record)] }))) },
    ],
  }));
  if (items.length + reasons.length === 0) return [];
  return [{ name: 'attention', title: 'What needs attention', blocks: [...list(items), ...list(reasons)] }];
}

function nextStep({ failure }: TestRecord): Block[] {
  return failure?.next === undefined ? [] : [text('Next: ', failure.next)];
}

function linkTo(record: TestRecord): Span {
  return { text: `${record.id} ${record.title}`, section: anchorOf(record) };
}

function anchorOf({ number }: TestRecord): string {
  return `test-${number}`;
}

/** A section for each suite, with its experiments. */
function suites({ folder, records }: RunResults): Section[] {
  const bySuite = groupBy(records, ({ suite }) => suite);
  return [...bySuite].map(([suite, members], index) => {
    const counts = Object.entries(countVerdicts(members)).filter(([, count]) => count > 0);
    return {
      name: `suite-${index + 1}`,
      title: suite,
      blocks: [
        text(counts.map(([verdict, count]) => `${count} ${verdict}`).join(', ')),
        ...members.map((record) => experiment(folder, record)),
      ],
    };
  });
}

const tones = { passed: 'passed', failed: 'failed', error: 'error', skipped: 'skipped' } as const satisfies Record<
  Verdict,
  string
>;

/** An experiment that the reader can open. It is open if it needs attention. */
function experiment(folder: string, record: TestRecord): Block {
  const { verdict, id, title, durationMs, evidence, failure, reason } = record;
  const network = networkDrawing(folder, evidence);
  const frames = json(folder, evidence, 'frames-json', testFrames);
  const path = isBad(record) ? framePathCommand(evidence, (file) => file) : undefined;
  return {
    kind: 'folded',
    name: anchorOf(record),
    isOpen: isBad(record),
    title: [word(tones[verdict], verdict), ` ${id} ${title} (${duration(durationMs)})`],
    blocks: [
      ...(reason === undefined ? [] : [text(reason)]),
      ...(failure && failure.message !== reason ? [text(failure.message)] : []),
      ...nextStep(record),
      ...list((frames?.pings ?? []).map((ping) => ({ text: pingText(ping) }))),
      ...network,
      ...(frames ? ladder(record, frames) : []),
      ...(failure?.details === undefined ? [] : [folded('what was seen, as text', failure.details)]),
      ...observed(record),
      ...(path === undefined ? [] : [text('The way of the frame: ', code(path))]),
      ...(isBad(record) ? literal(folder, evidence, ['commands', 'frames']) : []),
      ...(evidence.length === 0 ? [] : [files(record)]),
    ],
  };
}

/** "ns1 to ns2 (10.0.0.2): lost, ARP request last seen at …" */
function pingText({ from, to, target, outcome, reason }: TestPing): Span[] {
  const why = reason === outcome ? [] : [{ text: `, ${reason}` }];
  return [{ text: `${from} to ${to} (${target}): ` }, strong(outcome), ...why];
}

function networkDrawing(folder: string, evidence: readonly Evidence[]): Block[] {
  const snapshot = json(folder, evidence, 'links', z.unknown());
  const network = snapshot === undefined ? undefined : networkOf(snapshot);
  if (!network || network.nodes.length === 0) return [];
  return [{ kind: 'drawing', image: networkSvg(network, 'the network at the end of the experiment') }];
}

function ladder({ id }: TestRecord, frames: TestFrames): Block[] {
  const layout = ladderOf(frames);
  return layout ? [{ kind: 'drawing', image: ladderSvg(layout, `the frames of ${id}, one row each`) }] : [];
}

function observed({ observed: values, measured = {} }: TestRecord): Block[] {
  const rows = Object.entries({ ...values, ...measured }).map(([name, value]) => ({ cells: [name, String(value)] }));
  return rows.length > 0 ? [{ kind: 'table', head: ['observed', 'value'], rows }] : [];
}

function folded(title: string, whole: string): Block {
  return { kind: 'folded', title, blocks: [{ kind: 'code', text: whole }] };
}

/** The text of files of evidence, which the reader can open. */
function literal(folder: string, evidence: readonly Evidence[], kinds: readonly Evidence['kind'][]): Block[] {
  return evidence
    .filter(({ kind }) => kinds.includes(kind))
    .flatMap(({ file, title }) => {
      const whole = readEvidence(folder, file);
      if (whole === undefined) return [];
      const rest = whole.length > mostText ? `\n… ${whole.length - mostText} more characters in ${file}` : '';
      return [folded(title, whole.slice(0, mostText) + rest)];
    });
}

function files({ evidence }: TestRecord): Block {
  return {
    kind: 'folded',
    title: 'files',
    blocks: evidence.map(({ file, title }) => ({ kind: 'file', title, path: file, isFile: true })),
  };
}

/** Where the time went: the slowest experiments. */
function slowest(records: readonly TestRecord[]): Section {
  const rows = records
    .toSorted((a, b) => b.durationMs - a.durationMs)
    .slice(0, 10)
    .map((record) => ({ cells: [[linkTo(record)], duration(record.durationMs), record.lab] }));
  return {
    name: 'time',
    title: 'Where the time went',
    blocks:
      rows.length > 0
        ? [{ kind: 'table', head: ['experiment', 'time', 'lab'], rows }]
        : [text('No experiment has a record.')],
  };
}

function isBad({ verdict }: TestRecord): boolean {
  return verdict === 'failed' || verdict === 'error';
}

/** The parsed content of the evidence of a kind; undefined if there is none, or it has another form. */
function json<T>(
  folder: string,
  evidence: readonly Evidence[],
  kind: Evidence['kind'],
  schema: z.ZodType<T>,
): T | undefined {
  const found = evidence.find((each) => each.kind === kind);
  const whole = found && readEvidence(folder, found.file);
  if (whole === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(whole)).data;
  } catch {
    return undefined;
  }
}
