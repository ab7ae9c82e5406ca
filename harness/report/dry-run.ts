/** What a run on somebody else's hosts would do there, as text: known from a rehearsal, in which each experiment was performed. */
import type { LoggedCommand } from '../remote/command-log.js';
import { quoteCommand } from '../remote/quote.js';
import type { PerformedCommands } from '../run/plan.js';
import type { TestRecord } from '../run/record.js';

export interface DryRun {
  /** What the lab says of itself. */
  statement: readonly string[];
  preparation: readonly { machine: string; lines: readonly string[] }[];
  experiments: readonly { record: TestRecord; commands: PerformedCommands }[];
}

/** All of it, line by line. What only reads is left out. */
export function dryRunLines({ statement, preparation, experiments }: DryRun): string[] {
  const suites = new Set<object>();
  const scripts = new Set<string>();
  const linesOf = (commands: readonly LoggedCommand[]) =>
    commands.filter(({ kind }) => told.has(kind)).flatMap((command) => commandLines(command, scripts));
  let title = '';
  const performed = [...experiments].sort((a, b) => a.record.number - b.record.number);
  return [
    ...statement,
    '',
    'Nothing of this has been done, and no host has been asked. Commands are those of a rehearsal in labs of this machine; MAC',
    'addresses and the patterns of pings will be others. Commands that only read are left out, and those that undo a suite’s set-up',
    'behind its last experiment.',
    '',
    'preparing',
    ...preparation.flatMap(({ machine, lines }) => [`  ${machine}`, ...lines.map((line) => `    ${line}`)]),
    '  listening, for as long as there is the lab',
    ...linesOf(performed[0]?.commands.wiring.filter(({ kind }) => kind === 'capture') ?? []),
    ...performed.flatMap(({ record, commands }) => {
      const heading = record.suite === title ? [] : ['', record.suite];
      title = record.suite;
      const fresh = commands.setUps.filter(({ suite }) => !suites.has(suite));
      for (const { suite } of fresh) suites.add(suite);
      const setUp = fresh.flatMap((each) => linesOf(each.commands));
      return [
        ...heading,
        ...(setUp.length > 0 ? ['  set-up', ...setUp] : []),
        `  ${record.id} ${record.title}${outcomeOf(record)}`,
        ...(record.verdict === 'skipped' ? [] : linesOf(commands.own)),
      ];
    }),
    '',
  ];
}

function outcomeOf({ verdict, reason = '' }: TestRecord): string {
  if (verdict === 'passed') return '';
  return verdict === 'skipped' ? `: skipped: ${reason}` : `: ${verdict} in the rehearsal: ${reason}`;
}

/** Kinds of commands that hosts are given, and change or send something. */
const told = new Set<LoggedCommand['kind']>(['change', 'probe', 'capture', 'harness', 'undo', 'hook']);

/** @param scripts those that stand above in full; a script that is new is added */
function commandLines({ where, namespace, argv, stdin, kind }: LoggedCommand, scripts: Set<string>): string[] {
  const place = kind === 'hook' ? 'here' : (where.split('/')[0] ?? where);
  const inside = kind === 'hook' ? argv : entered(namespace, argv);
  const [first = '', ...lines] = quoteCommand(inside).split('\n');
  const script = lines.join('\n');
  const more = scripts.has(script) ? ['… as above'] : lines;
  if (script !== '') scripts.add(script);
  const input = stdin === undefined ? [] : stdin.trimEnd().split('\n');
  return [
    `    ${place}${kind === 'undo' ? ', undoing' : ''}$ ${first}`,
    ...more.map((line) => `      ${line}`),
    ...input.map((line) => `      < ${line}`),
  ];
}

/** A command as it is given to the machine, whose session is in the node's own stack. */
function entered(namespace: string | undefined, argv: readonly string[]): readonly string[] {
  if (namespace === undefined) return argv;
  const [program = '', ...rest] = argv;
  if (program === 'ip' || program === 'bridge') return [program, '-n', namespace, ...rest];
  return ['nsenter', `--net=/run/netns/${namespace}`, '--', ...argv];
}
