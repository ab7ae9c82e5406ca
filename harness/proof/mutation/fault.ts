/** The type of a fault: a way to break a lab, what it imitates, and which experiments should detect what. */
import type { NodeName } from '../../machine/topology.js';
import type { Verdict } from '../../run/record.js';

/** How a lab is broken. Scripts are for sh(1) and run in the machine that holds all nodes; see {@link ./fault-injector.js}. */
export type Injection =
  /** Right after wiring, before captures start. */
  | { way: 'wired'; script: string }
  /** A command is changed on its way to the machine. The lab's log does not show the change. */
  | { way: 'rewrite'; command: RegExp; to(argv: readonly string[]): readonly string[] }
  /**
   * After a command that has run and was read back. `there`: in the session that ran the command. `fatal`: that session
   * can no longer report how the script ended.
   */
  | { way: 'behind'; command: RegExp; script: string; there?: true; fatal?: true }
  /** A script replaces a program of the machine. In it, $real is the program itself. */
  | { way: 'tool'; program: string; script: string }
  /**
   * This machine's clock jumps by milliseconds, for the harness and in the frames' times, after a command that matches:
   * the first one only, or each.
   */
  | { way: 'clock'; command: RegExp; milliseconds: number; after: 'first' | 'each' }
  /** The disk to which the run writes its records has space for this size, "64k", and for 2048 files. */
  | { way: 'disk'; size: string }
  /** That disk has no space for bytes, or for files, after the first command that matches. */
  | { way: 'full'; command: RegExp; of: 'bytes' | 'files' };

/** Whether a fault imitates an error of the kernel or the switch, or trouble of the harness's own tools. */
export type Target = 'network' | 'tools';

export interface Fault {
  /** "modes/private-is-bridge"; unique among all faults. */
  id: string;
  of: Target;
  /** One sentence. */
  imitates: string;
  injections: readonly Injection[];
  /** Filters of experiments, as for `macvlab run`; all experiments if empty. The experiments of a broken tool all depend on it. */
  experiments: readonly string[];
  /** The expected result of at least one of them, by reason or details. "passed" is for a tool that is late but correct: nothing may change. */
  expected: { verdict: Exclude<Verdict, 'skipped'>; reason: RegExp };
  /** MACVLAB_TIMEOUT_FACTOR, if a deadline detects the fault. */
  timeoutFactor?: number;
}

/** Where a rule meets a frame: on its way into a device, after the captures, or on its way out, before the captures. */
type Hook = 'ingress' | 'egress';

/**
 * Applies rules of nft(8) to frames that pass a device of a node: "arp operation reply drop".
 * @param namespace a node, or an endpoint's namespace: "node1-ns1"
 */
export function frames(namespace: NodeName, device: string, hook: Hook, ...rules: string[]): Injection {
  return { way: 'wired', script: ruleScript(namespace, device, hook, rules) };
}

/** As {@link frames}, for a device that exists after a command has run. */
export function framesBehind(
  command: RegExp,
  namespace: string,
  device: string,
  hook: Hook,
  ...rules: string[]
): Injection {
  return { way: 'behind', command, script: ruleScript(namespace, device, hook, rules) };
}

function ruleScript(namespace: string, device: string, hook: Hook, rules: readonly string[]): string {
  const lines = [
    'table netdev fault {',
    `chain ${hook} {`,
    `type filter hook ${hook} device "${device}" priority 0; policy accept;`,
    ...rules,
    '}',
    '}',
  ];
  return `in_stack ${namespace} nft -f - <<'END OF RULES'\n${lines.join('\n')}\nEND OF RULES`;
}

/** The mark of copies that {@link copiesLate} sends. Rules of nft(8) recognize them by it. */
export const lateMark = 77;

/**
 * Sends a copy of each frame that enters one device of a node out of another device, this many seconds later. A copy
 * overtakes no frame, and any frame may overtake it.
 * @param filter which frames, in the syntax of pcap-filter(7)
 */
export function copiesLate(
  namespace: NodeName,
  from: string,
  to: string,
  seconds: number,
  filter: string,
): Extract<Injection, { way: 'wired' }> {
  return {
    way: 'wired',
    script: `in_stack ${namespace} perl -e '${lateCopier}' ${from} ${to} ${seconds} '${filter}' >/dev/null 2>&1 </dev/null`,
  };
}

/**
 * packet(7), socket(7) and netdevice(7) in perl: 17 is AF_PACKET, 36 SO_MARK, 0x8933 SIOCGIFINDEX. It returns when
 * tcpdump captures, because tcpdump then writes the header of a pcap file.
 */
const lateCopier = `
use POSIX; use Socket;
my ($from, $to, $seconds, $filter) = @ARGV;
open my $frames, "-|", "tcpdump", "-i", $from, "-Q", "in", "-p", "-U", "--immediate-mode", "-s", "0", "-Z", "root", "-w", "-", $filter or die;
socket my $wire, 17, SOCK_RAW, 0 or die;
setsockopt $wire, SOL_SOCKET, 36, pack "i", ${lateMark} or die;
my $device = pack "a16 x24", $to;
ioctl $wire, 0x8933, $device or die;
my $address = pack "S n i S C C a8", 17, 0, unpack("x16 i", $device), 0, 0, 6, "";
read($frames, my $header, 24) == 24 or die;
POSIX::_exit(0) if fork;
$SIG{CHLD} = "IGNORE";
while (read($frames, $header, 16) == 16) {
  read $frames, my $frame, unpack "x8 L", $header;
  next if fork;
  select undef, undef, undef, $seconds;
  send $wire, $frame, 0, $address;
  POSIX::_exit(0);
}`;

/** Replaces words of commands. A word is removed if `by` is empty. */
export function replaceWord(command: RegExp, word: string, ...by: string[]): Injection {
  const to = (argv: readonly string[]) => argv.flatMap((each) => (each === word ? by : [each]));
  return { way: 'rewrite', command, to };
}
