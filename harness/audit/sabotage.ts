/** What a sabotage is: one way in which a lab is broken, what that imitates, and who should notice what. */
import type { NodeName } from '../lab/topology.js';
import type { Verdict } from '../run/record.js';

/** How a lab is broken. Scripts are of sh(1), and are performed in the machine that holds all nodes; see {@link ./strike.js}. */
export type Attack =
  /** Right after wiring, before anybody listens. */
  | { way: 'wired'; script: string }
  /** A command is changed on its way to the machine: the lab's log knows nothing of it. */
  | { way: 'rewrite'; command: RegExp; to(argv: readonly string[]): readonly string[] }
  /**
   * Behind a command that has been performed, and read back. `there`: by the session that has performed it; `fatal`: that session does
   * not tell any more how the script has ended.
   */
  | { way: 'behind'; command: RegExp; script: string; there?: true; fatal?: true }
  /** A program of the machine is replaced by a script, in which $real is the program itself. */
  | { way: 'tool'; program: string; script: string }
  /** This machine's clock jumps by milliseconds, as frames' times and the harness show it, behind the first command that matches. */
  | { way: 'clock'; command: RegExp; milliseconds: number }
  /** The disk to which the run writes its records has room for so much, "64k", and for 2048 files. */
  | { way: 'disk'; size: string }
  /** That disk has no room for bytes, or for files, from the first command on that matches. */
  | { way: 'full'; command: RegExp; of: 'bytes' | 'files' };

/** Whether a sabotage stands for something that the kernel or the switch does wrong, or for trouble of the harness's own tools. */
export type Target = 'network' | 'tools';

export interface Sabotage {
  /** "modes/private-is-bridge"; no other sabotage has the same. */
  id: string;
  of: Target;
  /** One sentence. */
  imitates: string;
  attacks: readonly Attack[];
  /** Filters of experiments, as `macvlab run` takes them; all experiments when empty. Those of a broken tool all depend on it. */
  experiments: readonly string[];
  /**
   * What is to become of at least one of them, by reason or details. "passed" is for a tool that is late, and truthful: nothing is to become
   * of it.
   */
  expected: { verdict: Exclude<Verdict, 'skipped'>; reason: RegExp };
  /** MACVLAB_PATIENCE, where the sabotage is noticed by a deadline. */
  patience?: number;
}

/** Where a frame is met: as it comes in at a device, behind the captures, or as it leaves it, before them. */
type Hook = 'ingress' | 'egress';

/**
 * What becomes of frames that pass a device of a node, as a rule of nft(8): "arp operation reply drop".
 * @param namespace a node, or an endpoint's namespace: "node1-ns1"
 */
export function frames(namespace: NodeName, device: string, hook: Hook, ...rules: string[]): Attack {
  return { way: 'wired', script: ruleScript(namespace, device, hook, rules) };
}

/** As {@link frames}, for a device that is there once a command has been performed. */
export function framesBehind(
  command: RegExp,
  namespace: string,
  device: string,
  hook: Hook,
  ...rules: string[]
): Attack {
  return { way: 'behind', command, script: ruleScript(namespace, device, hook, rules) };
}

function ruleScript(namespace: string, device: string, hook: Hook, rules: readonly string[]): string {
  const lines = [
    'table netdev sabotage {',
    `chain ${hook} {`,
    `type filter hook ${hook} device "${device}" priority 0; policy accept;`,
    ...rules,
    '}',
    '}',
  ];
  return `in_stack ${namespace} nft -f - <<'END OF RULES'\n${lines.join('\n')}\nEND OF RULES`;
}

/** Sent by {@link copiesLate}: a rule of nft(8) knows them by this. */
export const lateMark = 77;

/**
 * A copy of each frame that comes in at one device of a node is sent out of another, so many seconds later. It overtakes nothing, and
 * everything may overtake it.
 * @param filter which frames, as pcap-filter(7) has it
 */
export function copiesLate(
  namespace: NodeName,
  from: string,
  to: string,
  seconds: number,
  filter: string,
): Extract<Attack, { way: 'wired' }> {
  return {
    way: 'wired',
    script: `in_stack ${namespace} perl -e '${lateCopier}' ${from} ${to} ${seconds} '${filter}' >/dev/null 2>&1 </dev/null`,
  };
}

/**
 * packet(7), socket(7) and netdevice(7) in perl: 17 is AF_PACKET, 36 SO_MARK, 0x8933 SIOCGIFINDEX. It returns when tcpdump captures:
 * that writes the header of a pcap file then.
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

/** Replaces words of commands: a word that is left out when `by` is empty. */
export function words(command: RegExp, word: string, ...by: string[]): Attack {
  const to = (argv: readonly string[]) => argv.flatMap((each) => (each === word ? by : [each]));
  return { way: 'rewrite', command, to };
}
