/** What a run on somebody else's hosts would do there, as text: known from a rehearsal, in which each experiment was performed. */
import type { LoggedCommand } from '../remote/command-log.js';
import { quoteCommand } from '../remote/quote.js';
import type { PerformedCommands } from '../run/plan.js';
import type { TestRecord } from '../run/record.js';

export interface DryRun {
  /** What the lab says of itself. */
  statement: readonly string[];
  preparation: readonly { machine: string; lines: readonly string[]; details: readonly string[] }[];
  /** Whether scripts are shown in full, and how hosts are reached. */
  details: boolean;
  experiments: readonly { record: TestRecord; commands: PerformedCommands }[];
}

/** All of it, line by line. What only reads is left out. */
export function dryRunLines({ statement, preparation, details, experiments }: DryRun): string[] {
  const suites = new Set<object>();
  const scripts = details ? new Set<string>() : undefined;
  const linesOf = (commands: readonly LoggedCommand[]) =>
    commands.filter(({ kind }) => told.has(kind)).flatMap((command) => commandLines(command, scripts));
  let title = '';
  const performed = [...experiments].sort((a, b) => a.record.number - b.record.number);
  return [
    ...statement,
    '',
    'Nothing of this has been done, and no host has been asked. Commands are those of a rehearsal in labs of this machine; MAC',
    'addresses and the patterns of pings will be others. Commands that only read are left out, and those that undo a suite’s set-up',
    `behind its last experiment.${details ? '' : ' --details shows scripts in full, and how hosts are reached.'}`,
    '',
    ...hostLines(performed.map(({ commands }) => commands)),
    'preparing',
    ...preparation.flatMap(({ machine, lines, details: more }) => [
      `  ${machine}`,
      ...[...lines, ...(details ? more : [])].map((line) => `    ${line}`),
    ]),
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

/** What each host gets, in a line or two: its addresses, and the children that are made there. */
function hostLines(commands: readonly PerformedCommands[]): string[] {
  const all = commands.flatMap(({ setUps, own }) => [...setUps.flatMap((each) => [...each.commands]), ...own]);
  const gets = new Map<string, Set<string>>();
  for (const command of all) {
    const what = command.kind === 'change' ? given(command) : undefined;
    if (what === undefined) continue;
    const [host = ''] = command.where.split('/');
    gets.set(host, (gets.get(host) ?? new Set()).add(what));
  }
  if (gets.size === 0) return [];
  return ['what each gets', ...[...gets].map(([host, list]) => `  ${host.padEnd(7)} ${[...list].join(', ')}`), ''];
}

/** "eth1 += 10.211.55.18/24", "child eth0 (mode bridge) of eth1"; undefined of any other command. */
function given(command: LoggedCommand): string | undefined {
  const { argv } = command.sent ?? command;
  const [ip, kind, verb, ...rest] = argv;
  if (ip !== 'ip' || verb !== 'add') return undefined;
  const after = (word: string) => rest[rest.indexOf(word) + 1] ?? '';
  const [, inside] = command.where.split('/');
  const place = inside === undefined ? '' : `${inside}’s `;
  if (kind === 'address') return `${place}${after('dev')} += ${rest[0]}`;
  if (kind === 'link' && rest.includes('macvlan')) return `child ${after('name')} of ${after('link')}`;
  return undefined;
}

function outcomeOf({ verdict, reason = '' }: TestRecord): string {
  if (verdict === 'passed') return '';
  return verdict === 'skipped' ? `: skipped: ${reason}` : `: ${verdict} in the rehearsal: ${reason}`;
}

/** Kinds of commands that hosts are given, and change or send something. */
const told = new Set<LoggedCommand['kind']>(['change', 'probe', 'capture', 'harness', 'undo', 'hook']);

/** @param scripts those that stand above in full; a script that is new is added. Without it, none is shown. */
function commandLines(command: LoggedCommand, scripts?: Set<string>): string[] {
  const { where, namespace, kind } = command;
  const { argv, stdin } = command.sent ?? command;
  const place = kind === 'hook' ? 'here' : (where.split('/')[0] ?? where);
  const inside = kind === 'hook' ? argv : entered(namespace, argv);
  const [first = '', ...lines] = quoteCommand(inside).split('\n');
  const script = lines.join('\n');
  const more = script === '' ? [] : !scripts ? ['… a script'] : scripts.has(script) ? ['… as above'] : lines;
  if (script !== '') scripts?.add(script);
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
