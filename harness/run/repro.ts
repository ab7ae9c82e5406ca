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
    `# ${record.id} ${record.title}`,
    `# ${record.reason ?? ''}`,
    `# Recorded on kernel ${record.kernel} at ${record.startedAt}. Run as root: sh repro.sh`,
    '# Everything happens in private namespaces that vanish when the script ends.',
    'if [ -z "$MACVLAB_REPRO" ]; then',
    '  MACVLAB_REPRO=1 exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private sh "$0"',
    'fi',
    'set -x',
    'mount -t tmpfs tmpfs /run && mkdir -p /run/netns',
    ...nodes.map((node) => `ip netns add ${quoteArgument(node)}`),
    '',
    '# the lab',
    ...wiring.flatMap(lines),
    '',
    '# what the suite sets up',
    ...setUp.flatMap(lines),
    '',
    '# the experiment',
    ...commands.flatMap(lines),
    'kill $(jobs -p) 2>/dev/null; wait',
    '',
  ].join('\n');
}

function lines({ where, namespace, argv, stdin, kind, status }: LoggedCommand): string[] {
  if (kind === 'reading' || kind === 'undo') return [];
  const home = namespace ?? (where === 'machine' ? undefined : where);
  const line = quoteCommand(inNamespace(home, kind === 'capture' ? printing(argv) : argv));
  if (kind === 'capture') return [`${line} &`, 'sleep 0.2'];
  const comment = status === 0 || status === undefined ? [] : [`# ended with status ${status}:`];
  if (stdin !== undefined) return [...comment, `${line} <<'END'`, stdin.trimEnd(), 'END'];
  return [...comment, line];
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
