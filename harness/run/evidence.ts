/** What proves a test's verdict: commands with their output, links, frames as text and as pcap, counters, a reproduction. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/error.js';
import { groupBy } from '../core/group.js';
import { formatSightings } from '../expect/listing.js';
import type { Lab } from '../lab/lab.js';
import type { LoggedCommand } from '../remote/command-log.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { quoteCommand } from '../remote/quote.js';
import type { Evidence, TestRecord } from './record.js';
import { reproScript } from './repro.js';
import { type RunFolder, slug } from './run-folder.js';
import type { SuiteState } from './stage.js';
import { suitesAround } from './suites-around.js';

export interface EvidenceOf {
  lab: Lab;
  folder: RunFolder;
  /** Completed with the evidence's files and the number of frames. */
  record: TestRecord;
  suite: SuiteState;
  /** Where the test's commands begin in the lab's log. */
  commandsFrom: number;
}

/** Writes a test's evidence. A lab that can no longer be asked gives less evidence, and no further error. */
export async function collectEvidence({ lab, folder, record, suite, commandsFrom }: EvidenceOf): Promise<void> {
  const add = adder(folder, record);
  const commands = lab.log.between(commandsFrom);
  const links = await linkSnapshot(lab);
  const prefix = slug(record.id);
  const sightings = lab.points.flatMap((point) => point.captures).flatMap(allSightings);
  sightings.sort((a, b) => a.frame.time - b.frame.time || a.order - b.order);
  record.frames = sightings.length;
  if (sightings.length > 0)
    add('frames', `${prefix}-frames.txt`, 'all captured frames in order', `${formatSightings(sightings)}\n`);
  for (const capture of lab.captures) {
    const pcap = capture.pcap();
    if (pcap) add('pcap', `${prefix}-${slug(capture.name)}.pcap`, `frames at ${capture.name}`, pcap);
  }
  const counters = lab.captures.flatMap(({ name, lastCounters }) =>
    lastCounters ? [[name, lastCounters] as const] : [],
  );
  if (counters.length > 0) {
    const text = `${JSON.stringify(Object.fromEntries(counters), null, 1)}\n`;
    add('counters', `${prefix}-counters.json`, 'what tcpdump counted where a frame was missing', text);
  }
  add('commands', `${prefix}-commands.txt`, 'commands with their output', commands.map(formatCommand).join('\n'));
  add('links', `${prefix}-links.json`, 'links, addresses and bridge ports at the end', links);
  if (record.verdict === 'failed') {
    const setUp = suitesAround(suite).flatMap(({ commandsFrom: from, commandsTo: to }) =>
      from === undefined ? [] : lab.log.between(from, to),
    );
    const script = reproScript({
      record,
      wiring: lab.log.between(0, lab.wiredAt),
      setUp,
      commands,
      exchanges: lab.exchanges,
    });
    add('repro', `${prefix}-repro.sh`, 'the same steps without macvlab', script);
  }
}

/** Writes what the machines' consoles have shown, of a test that has not passed: at its very end, when all has been undone. */
export function collectConsoles({ lab, folder, record }: Pick<EvidenceOf, 'lab' | 'folder' | 'record'>): void {
  if (record.verdict === 'passed') return;
  const add = adder(folder, record);
  for (const [machine, text] of lab.machines.kernelLog?.text() ?? []) {
    const name = `${slug(record.id)}-console-${slug(machine)}.txt`;
    add('console', name, `serial console of ${machine} up to here`, text);
  }
}

/** Writes a file of a test's evidence. */
type Add = (kind: Evidence['kind'], name: string, title: string, content: string | Uint8Array) => void;

function adder(folder: RunFolder, record: TestRecord): Add {
  const place = folder.evidenceFolder(record);
  return (kind, name, title, content) => {
    folder.later(writeFile(join(place.absolute, name), content));
    record.evidence.push({ kind, file: `${place.relative}/${name}`, title });
  };
}

function allSightings(capture: Lab['captures'][number]) {
  try {
    return [...capture.sightings];
  } catch {
    // A capture that has died is what the verdict says; its frames are in its pcap.
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
  const { at, where, argv, stdin, status, duration, before, after, output } = command;
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
  return [head, `$ ${quoteCommand(argv)}`, ...change, ...input, ...printed, ''].join('\n');
}
