/** The commands of a run on external hosts, as text. They come from a dry run of each experiment. */
import type { LoggedCommand } from '../../remote/command-log.js';
import { quoteCommand } from '../../remote/quote.js';
import type { ExperimentCommands } from '../../run/plan.js';
import type { TestRecord } from '../../run/record.js';

export interface DryRun {
  /** The lab's description of itself. */
  statement: readonly string[];
  preparation: readonly { machine: string; lines: readonly string[]; details: readonly string[] }[];
  /** Whether to show scripts in full, and how hosts are reached. */
  details: boolean;
  experiments: readonly { record: TestRecord; commands: ExperimentCommands }[];
}

/** All lines. Commands that only read are left out. */
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
    'Nothing of this has been done, and no host has been asked. Commands are those of a dry run in labs of this machine; MAC',
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

/** The addresses and children that each host gets, in a line or two. */
function hostLines(commands: readonly ExperimentCommands[]): string[] {
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

/** "eth1 += 10.211.55.18/24", "child eth0 (mode bridge) of eth1"; undefined for another command. */
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
  return verdict === 'skipped' ? `: skipped: ${reason}` : `: ${verdict} in the dry run: ${reason}`;
}

/** Kinds of commands to show: those that do more than read. */
const told = new Set<LoggedCommand['kind']>(['change', 'probe', 'capture', 'harness', 'undo', 'hook']);

/** @param scripts those that are already shown in full; a new script is added. Without it, no script is shown. */
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

/** A command for the machine's session, which runs in the node's own stack. */
function entered(namespace: string | undefined, argv: readonly string[]): readonly string[] {
  if (namespace === undefined) return argv;
  const [program = '', ...rest] = argv;
  if (program === 'ip' || program === 'bridge') return [program, '-n', namespace, ...rest];
  return ['nsenter', `--net=/run/netns/${namespace}`, '--', ...argv];
}
