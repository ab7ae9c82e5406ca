/** A failed test as a script of plain ip, bridge, ping and tcpdump lines, which a reader can run without macvlab. */
import type { LoggedCommand } from '../remote/command-log.js';
import { quoteArgument, quoteCommand } from '../remote/quote.js';
import type { TestRecord } from './record.js';

export interface ReproInput {
  record: Pick<TestRecord, 'id' | 'title' | 'kernel' | 'reason' | 'startedAt'>;
  /** Commands that wired the lab. */
  wiring: readonly LoggedCommand[];
  /** Commands of the suite's set-up. */
  setUp: readonly LoggedCommand[];
  /** Commands of the test itself. */
  commands: readonly LoggedCommand[];
}

/** Nodes are made as network namespaces; endpoints are too, under the names that they have in the log. */
export function reproScript({ record, wiring, setUp, commands }: ReproInput): string {
  const nodes = [...new Set(wiring.filter(({ where }) => where !== 'machine').map(({ where }) => where))];
  return [
    '#!/bin/sh',
    comment(`${record.id} ${record.title}`),
    comment(record.reason ?? ''),
    comment(`Recorded on kernel ${record.kernel} at ${record.startedAt}. Run as root: sh repro.sh`),
    '# Everything happens in private namespaces that vanish when the script ends.',
    'if [ -z "$MACVLAB_REPRO" ]; then',
    '  MACVLAB_REPRO=1 exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private sh "$0"',
    'fi',
    'set -x',
    'mount -t tmpfs tmpfs /run && mkdir -p /run/netns',
    ...nodes.map((node) => `ip netns add ${quoteArgument(node)}`),
    '',
    '# the lab',
    ...scriptLines(wiring),
    '',
    '# what the suite sets up',
    ...scriptLines(setUp),
    '',
    '# the experiment',
    ...scriptLines(commands),
    'kill $captures; wait',
    '',
  ].join('\n');
}

/** One line per command; captures go to the background, and have a second to begin to listen before what comes next. */
function scriptLines(commands: readonly LoggedCommand[]): string[] {
  const told = commands.filter(({ kind }) => kind !== 'reading' && kind !== 'undo');
  return told.flatMap((command, index) => {
    const lastCapture = command.kind === 'capture' && told[index + 1]?.kind !== 'capture';
    return [...lines(command), ...(lastCapture ? ['sleep 1'] : [])];
  });
}

function lines({ where, namespace, argv, stdin, kind, status }: LoggedCommand): string[] {
  const home = namespace ?? (where === 'machine' ? undefined : where);
  if (kind === 'engine') return [comment(`by a container engine: ${quoteCommand(argv)}`)];
  if (kind === 'hook') return [comment(`by a command of the switch’s owner: ${quoteCommand(argv)}`)];
  const line = quoteCommand(inNamespace(home, kind === 'capture' ? printing(argv) : argv));
  if (kind === 'capture') return [`${line} & captures="$captures $!"`];
  const ended = status === 0 || status === undefined ? [] : [comment(`ended with status ${status}:`)];
  if (stdin === undefined) return [...ended, line];
  const input = stdin.trimEnd();
  const end = endOf(input);
  return [...ended, `${line} <<'${end}'`, input, end];
}

/** Text that a shell passes over, however many lines it has. */
function comment(text: string): string {
  return `# ${text.replaceAll('\n', '\n# ')}`;
}

/** A word that closes this text as a here-document, since none of its lines is that word. */
function endOf(text: string): string {
  const lines = new Set(text.split('\n'));
  let end = 'END';
  while (lines.has(end)) end += '_';
  return end;
}

function inNamespace(home: string | undefined, argv: readonly string[]): string[] {
  if (home === undefined) return [...argv];
  const [program = '', ...rest] = argv;
  if (program === 'ip' || program === 'bridge') return [program, '-n', home, ...rest];
  return ['ip', 'netns', 'exec', home, ...argv];
}

/** A capture that prints its frames, rather than writing them to a pipe. */
function printing(argv: readonly string[]): string[] {
  const write = argv.indexOf('-w');
  const kept = write < 0 ? [...argv] : [...argv.slice(0, write), ...argv.slice(write + 2)];
  return [...kept, '-e', '-l'];
}
