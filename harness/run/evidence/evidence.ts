/** Collects the evidence for a test's verdict: commands with their output, links, frames as text and as pcapng, counters, a reproduction. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/error.js';
import { groupBy } from '../../core/group.js';
import type { Exchange } from '../../exchange/exchange.js';
import { formatSightings } from '../../expect/listing.js';
import type { Lab } from '../../lab/lab.js';
import type { LoggedCommand } from '../../remote/command-log.js';
import type { NetworkStack } from '../../remote/network-stack.js';
import { quoteCommand } from '../../remote/quote.js';
import type { Evidence, TestRecord } from '../record.js';
import { type CapturedTest, capturedTest } from './capture-file.js';
import { reproScript } from './repro.js';
import { type RunFolder, slug } from '../run-folder.js';
import type { SuiteState } from '../suite-state.js';
import { suitesAround } from '../suite-state.js';

/** A test, and the destination of its evidence. */
export interface EvidenceOf {
  lab: Lab;
  folder: RunFolder;
  test: Pick<TestRecord, 'number' | 'id'>;
  /** Whether to write also one pcap per capture point. */
  pcapPerPoint?: boolean;
}

/** The evidence from the captures and the log of a lab, before the changes of that test are reverted. */
export interface Proof extends Pick<TestRecord, 'frames' | 'evidence'> {
  /** The commands of the test itself. */
  commands: readonly LoggedCommand[];
  /** Its frames, for the file that {@link writeCapture} writes with the verdict. */
  captured?: CapturedTest | undefined;
}

/**
 * Writes a test's evidence. A lab that no longer answers gives less evidence, and no further error.
 * @param commandsFrom where the test's commands begin in the lab's log
 * @param failure of a test that has not passed: the exchange that it is about, if it is about one
 * @throws MacvlabError OUT_NOT_WRITABLE
 */
export async function collectEvidence(
  of: EvidenceOf,
  commandsFrom: number,
  failure?: { exchange: Exchange | undefined },
): Promise<Proof> {
  const { lab, test } = of;
  const evidence: Evidence[] = [];
  const add = adder(of, evidence);
  const commands = lab.log.between(commandsFrom);
  const [links] = await Promise.all([linkSnapshot(lab), failure && readCounters(lab)]);
  const prefix = slug(test.id);
  const sightings = lab.listening.points.flatMap((point) => point.captures).flatMap(allSightings);
  sightings.sort((a, b) => a.frame.time - b.frame.time || a.order - b.order);
  if (sightings.length > 0)
    add('frames', `${prefix}-frames.txt`, 'all captured frames in order', `${formatSightings(sightings)}\n`);
  for (const capture of of.pcapPerPoint ? lab.listening.captures : []) {
    const pcap = capture.pcap();
    if (pcap) add('pcap', `${prefix}-${slug(capture.name)}.pcap`, `frames at ${capture.name}`, pcap);
  }
  const counters = lab.listening.captures.flatMap(({ name, lastCounters }) =>
    lastCounters ? [[name, lastCounters] as const] : [],
  );
  if (counters.length > 0) {
    const text = `${JSON.stringify(Object.fromEntries(counters), null, 1)}\n`;
    add('counters', `${prefix}-counters.json`, 'what tcpdump counted', text);
  }
  add('commands', `${prefix}-commands.txt`, 'commands with their output', commands.map(formatCommand).join('\n'));
  add('links', `${prefix}-links.json`, 'links, addresses and bridge ports at the end', links);
  const captured = capturedTest(lab, failure?.exchange);
  if (captured)
    add('frames-json', `${prefix}-frames.json`, 'frames and pings, for reports', JSON.stringify(captured.frames));
  return { frames: sightings.length, evidence, commands, captured };
}

/** Writes all frames of a test as one file, with its verdict. @throws MacvlabError OUT_NOT_WRITABLE */
export function writeCapture(
  { lab, folder }: Pick<EvidenceOf, 'lab' | 'folder'>,
  record: TestRecord,
  run: string,
  captured: CapturedTest | undefined,
): void {
  if (!captured) return;
  const add = adder({ lab, folder, test: record }, record.evidence);
  const name = `${slug(record.id)}.pcapng`;
  const { packets } = captured;
  const isBad = record.verdict === 'failed' || record.verdict === 'error';
  const extra = isBad && packets.length > 0 ? { packets } : {};
  add('pcap', name, 'frames at all capture points', captured.file(run, record), extra);
}

/** Reads the counters of all captures, for the file. No verdict depends on them. */
async function readCounters({ death, listening }: Lab): Promise<void> {
  if (death.aborted) return;
  await Promise.all(listening.captures.map((capture) => capture.counters().catch(() => undefined)));
}

/**
 * Writes the files for a test that has not passed: a script that repeats it, and the consoles of its machines up to the
 * end.
 * @param record these files are added to it
 * @throws MacvlabError OUT_NOT_WRITABLE
 */
export function explainVerdict(
  { lab, folder }: Pick<EvidenceOf, 'lab' | 'folder'>,
  record: TestRecord,
  suite: SuiteState,
  commands: readonly LoggedCommand[],
): void {
  const add = adder({ lab, folder, test: record }, record.evidence);
  const prefix = slug(record.id);
  if (record.verdict === 'failed') {
    const setUp = suitesAround(suite).flatMap(({ commandsFrom: from, commandsTo: to }) =>
      from === undefined ? [] : lab.log.between(from, to),
    );
    const script = reproScript({
      record,
      wiring: lab.log.between(0, lab.wiredAt),
      setUp,
      commands,
      exchanges: lab.ledger.exchanges,
    });
    add('repro', `${prefix}-repro.sh`, 'the same steps without macvlab', script);
  }
  if (record.verdict === 'passed') return;
  for (const [machine, text] of lab.machines.kernelLog.text()) {
    const name = `${prefix}-console-${slug(machine)}.txt`;
    add('console', name, `serial console of ${machine} up to here`, text);
  }
}

/** Writes a file of a test's evidence. */
type Add = (
  kind: Evidence['kind'],
  name: string,
  title: string,
  content: string | Uint8Array,
  extra?: Pick<Evidence, 'packets'>,
) => void;

function adder({ folder, test }: EvidenceOf, evidence: Evidence[]): Add {
  const place = folder.evidenceFolder(test);
  return (kind, name, title, content, extra) => {
    folder.later(writeFile(join(place.absolute, name), content));
    evidence.push({ kind, file: `${place.relative}/${name}`, title, ...extra });
  };
}

function allSightings(capture: Lab['listening']['captures'][number]) {
  try {
    return [...capture.sightings];
  } catch {
    // The verdict already reports a capture that has died. Its frames are in its pcap.
    return [];
  }
}

async function linkSnapshot(lab: Lab): Promise<string> {
  const stations = [...lab.nodes, ...lab.endpoints, ...(lab.switch.isReached ? [lab.switch] : [])];
  const stacks = stations.map(({ stack }) => stack);
  const bySession = groupBy(stacks, ({ session }) => session);
  const parts = await Promise.all(
    [...bySession].map(async ([session, members]) => {
      const commands = members.flatMap((stack) => snapshotCommands(stack).map((argv) => ({ stack, argv })));
      try {
        const results = await session.batch(
          commands.map(({ stack, argv }) => ({ argv: stack.enter(argv), mayFail: true })),
        );
        return results.map(({ stdout, stderr, status }, index) => {
          const command = commands[index];
          return [
            `${command?.stack.name}: ${command?.argv.join(' ')}`,
            status === 0 ? (JSON.parse(stdout || '[]') as unknown) : stderr,
          ] as const;
        });
      } catch (error) {
        return members.map(({ name }) => [`${name}: links`, messageOf(error)] as const);
      }
    }),
  );
  return `${JSON.stringify(Object.fromEntries(parts.flat()), null, 1)}\n`;
}

function snapshotCommands(stack: NetworkStack): string[][] {
  const links = ['ip', '-d', '-j', '-s', 'address', 'show'];
  return stack.name === 'switch' ? [links, ['bridge', '-d', '-j', 'link', 'show']] : [links];
}

function formatCommand(command: LoggedCommand): string {
  const { at, where, argv, sent, stdin, status, duration, before, after, output } = command;
  if (command.kind === 'cable')
    return `# a cable between two machines, as this would make it in one\n# ${quoteCommand(argv)}\n`;
  if (command.kind === 'likeness')
    return `# what no command of macvlab's has made, as this would make it\n# ${quoteCommand(argv)}\n`;
  const head = `# ${new Date(at).toISOString()} ${where}: ${status === undefined ? 'still running' : `status ${status}, ${duration} ms`}`;
  const change =
    before === undefined && after === undefined
      ? []
      : [`#   before: ${JSON.stringify(before)}`, `#   after:  ${JSON.stringify(after)}`];
  const input = stdin === undefined ? [] : [stdin.trimEnd().replace(/^/gm, '<   ')];
  const printed = output?.trimEnd() ? [output.trimEnd().replace(/^/gm, '    ')] : [];
  const moved = sent ? [`#   as it was given to the machine, with the addresses of its range:`] : [];
  const given = sent ? [...moved, ...comment(quoteCommand(sent.argv)), ...comment(sent.stdin ?? '')] : [];
  return [head, `$ ${quoteCommand(argv)}`, ...given, ...change, ...input, ...printed, ''].join('\n');
}

function comment(text: string): string[] {
  return text.trimEnd() === '' ? [] : [text.trimEnd().replace(/^/gm, '#     ')];
}
