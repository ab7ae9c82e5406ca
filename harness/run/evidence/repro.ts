/** Writes a failed test as a script of plain ip, bridge, ping and tcpdump lines, which a reader can run without macvlab. */
import type { Exchange } from '../../exchange/exchange.js';
import type { LoggedCommand } from '../../remote/command-log.js';
import { quoteArgument, quoteCommand } from '../../remote/quote.js';
import type { TestRecord } from '../record.js';

export interface ReproInput {
  record: Pick<TestRecord, 'id' | 'title' | 'lab' | 'kernel' | 'reason' | 'startedAt'>;
  /** The commands that wired the lab. */
  wiring: readonly LoggedCommand[];
  /** The commands of the suite's set-up. */
  setUp: readonly LoggedCommand[];
  /** The commands of the test itself. */
  commands: readonly LoggedCommand[];
  /** The test's pings whose outcome frames have determined. */
  exchanges?: readonly Pick<Exchange, 'token' | 'outcome' | 'reason' | 'expected'>[];
}

/** Seconds that a ping of the script waits for its reply. macvlab may end it earlier; the script cannot. */
const longestWait = 2;

/**
 * The functions that the script's lines call. A capture runs in the background, and its frames go through a separate
 * pipe, so that captures can end before their readers.
 */
const functions = `
fail() { echo "this step failed, so that nothing is shown: $*" >&2; exit 2; }
# a command that has to work
step() { output=$("$@" 2>&1) || { echo "$output" >&2; fail "$*"; }; }
# a command that was refused when this was recorded
refused() { ! output=$("$@" 2>&1) || fail "it was refused, and now is not: $*"; }
# a capture; each line begins with where it listens
count=0 captures= different=
capture() {
  where=$1; shift; count=$((count + 1)); mkfifo "/run/frames.$count"
  while IFS= read -r frame; do [ -z "$frame" ] || printf '%s  %s\\n' "$where" "$frame"; done <"/run/frames.$count" &
  "$@" >"/run/frames.$count" 2>"/run/capture.$count" &
  captures="$captures $!"
}
listening() {
  rounds=0
  until [ "$(grep -l 'listening on' /run/capture.* | wc -l)" -eq "$count" ]; do
    rounds=$((rounds + 1)); [ "$rounds" -lt 200 ] || { cat /run/capture.* >&2; fail "tcpdump does not listen everywhere"; }
    sleep 0.05
  done
}
# a ping, behind what it is and what macvlab saw of it: answered or lost
probe() {
  what=$1 saw=$2; shift 2
  if "$@"; then now=answered; else now=lost; fi
  echo "== $what: $now; macvlab saw it $saw"
  [ "$now" = "$saw" ] || different="$different, $what"
}`;

/**
 * Generates the script. It exits with 0 if each ping has the outcome that macvlab saw, 1 if one does not, and 2 if a
 * step fails. Its last line is about the ping of the test's last assertion.
 */
export function reproScript({ record, wiring, setUp, commands, exchanges = [] }: ReproInput): string {
  const nodes = [...new Set(wiring.filter(({ where }) => where !== 'machine').map(({ where }) => where))];
  const asserted = exchanges.findLast(({ expected }) => expected !== undefined) ?? exchanges.at(-1);
  return [
    '#!/bin/sh',
    comment(`${record.id} ${record.title}`),
    ...(record.reason ? [comment(record.reason)] : []),
    comment(
      `Recorded in the ${record.lab} lab on kernel ${record.kernel} at ${record.startedAt}. Run as root: sh repro.sh`,
    ),
    ...(record.lab === 'inventory' ? [comment(limits)] : []),
    '# Everything happens in private namespaces that vanish when the script ends. It ends with 0 when each ping does what macvlab',
    '# saw, with 1 when one does not, with 2 when a step fails.',
    'if [ -z "$MACVLAB_REPRO" ]; then',
    '  MACVLAB_REPRO=1 exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private sh "$0"',
    'fi',
    functions.trimStart(),
    '',
    'step mount -t tmpfs tmpfs /run',
    'step mkdir /run/netns',
    ...nodes.map((node) => `step ip netns add ${quoteArgument(node)}`),
    '',
    '# the lab',
    ...scriptLines(wiring, exchanges, asserted),
    '',
    '# what the suite sets up',
    ...scriptLines(setUp, exchanges, asserted),
    '',
    '# the experiment',
    ...scriptLines(withoutFinalUndo(commands), exchanges, asserted),
    'kill $captures 2>/dev/null',
    'wait',
    '[ -z "$different" ] || echo "not as macvlab saw it: ${different#, }"',
    ...conclusion(asserted),
    '[ -z "$different" ]',
    '',
  ].join('\n');
}

const limits = [
  'The hosts and the switch were real. Here they are namespaces and a Linux bridge, set as far as macvlab knows the real switch: this',
  'shows what Linux does with these commands, and not what the real switch and its cables did.',
].join('\n');

/** One ping, identified by its token. */
type Asserted = NonNullable<ReproInput['exchanges']>[number] | undefined;

/** The last line of output: the outcome of this ping now, and the outcomes that macvlab expected and saw. */
function conclusion(asserted: Asserted): string[] {
  if (!asserted) return ['echo "no ping decides: each command was accepted or refused as when this was recorded"'];
  const { expected = 'nothing of this ping', outcome, reason } = asserted;
  const seen = reason === outcome ? outcome : `${outcome} (${reason})`;
  return [`echo "$last: macvlab "${quoteArgument(`${expected.replace(/^expect\b/, 'expects')}, and saw ${seen}`)}`];
}

/** Leaves out the reverts at the end of the test. Earlier reverts are a part of the test. */
function withoutFinalUndo(commands: readonly LoggedCommand[]): readonly LoggedCommand[] {
  return commands.slice(0, commands.findLastIndex(({ kind }) => kind !== 'undo' && kind !== 'reading') + 1);
}

/** One line per command. After captures begin, the script waits until they listen. */
function scriptLines(
  commands: readonly LoggedCommand[],
  exchanges: NonNullable<ReproInput['exchanges']>,
  asserted: Asserted,
): string[] {
  // A failed revert had nothing left to revert.
  const told = commands.filter(({ kind, status }) => kind !== 'reading' && !(kind === 'undo' && status !== 0));
  return told.flatMap((command, index) => {
    const lastCapture = command.kind === 'capture' && told[index + 1]?.kind !== 'capture';
    const { argv } = command;
    const isAsserted = asserted !== undefined && argv.includes(asserted.token);
    return [...lines(command), ...(lastCapture ? ['listening'] : []), ...(isAsserted ? ['last=$now'] : [])];
  });
}

function lines(command: LoggedCommand): string[] {
  const { where, argv, stdin, kind, status } = command;
  if (kind === 'engine') return [comment(`by a container engine: ${quoteCommand(argv)}`)];
  if (kind === 'hook') return [comment(`by a command of the switch’s owner: ${quoteCommand(argv)}`)];
  if (kind === 'harness') return [comment(`by macvlab, which talks to it: ${quoteCommand(argv)}`)];
  if (kind === 'capture') return [quoteCommand(['capture', placeOf(command), ...entered(command, printing(argv))])];
  if (kind === 'probe') {
    const saw = status === 0 ? 'answered' : 'lost';
    return [quoteCommand(['probe', `${where} to ${argv.at(-1)}`, saw, ...entered(command, impatient(argv))])];
  }
  const line = quoteCommand([status ? 'refused' : 'step', ...entered(command, argv)]);
  if (stdin === undefined) return [line];
  const input = stdin.trimEnd();
  const end = endOf(input);
  return [`${line} <<'${end}'`, input, end];
}

/** "node1/eth1 in" */
function placeOf({ where, argv }: LoggedCommand): string {
  const after = (option: string) => (argv.includes(option) ? argv[argv.indexOf(option) + 1] : undefined);
  return [`${where}/${after('-i')}`, after('-Q')].filter(Boolean).join(' ');
}

/** Text as shell comments, line by line. */
function comment(text: string): string {
  return `# ${text.replaceAll('\n', '\n# ')}`;
}

/** A word that ends this text as a here-document, because no line is equal to it. */
function endOf(text: string): string {
  const lines = new Set(text.split('\n'));
  let end = 'END';
  while (lines.has(end)) end += '_';
  return end;
}

/**
 * A command as it runs from outside all nodes. Inside a node, ip uses its own mounts, in which the name of a new
 * namespace would be lost (iproute2, lib/namespace.c, netns_switch). Names are therefore added from outside.
 */
function entered({ where, namespace }: LoggedCommand, argv: readonly string[]): readonly string[] {
  const home = namespace ?? (where === 'machine' ? undefined : where);
  const [program = '', ...rest] = argv;
  if (home === undefined || (program === 'ip' && rest[0] === 'netns')) return argv;
  if (program === 'ip' || program === 'bridge') return [program, '-n', home, ...rest];
  return ['ip', 'netns', 'exec', home, ...argv];
}

/** A capture that prints its frames instead of writing them to a pipe. */
function printing(argv: readonly string[]): string[] {
  const write = argv.indexOf('-w');
  const [program = '', ...kept] = write < 0 ? argv : [...argv.slice(0, write), ...argv.slice(write + 2)];
  return [program, '-e', '-l', ...kept];
}

/** A ping that waits only a short time. */
function impatient(argv: readonly string[]): string[] {
  const wait = argv[0] === 'ping' ? argv.indexOf('-W') + 1 : 0;
  return argv.map((word, index) => (wait > 0 && index === wait ? String(Math.min(Number(word), longestWait)) : word));
}
