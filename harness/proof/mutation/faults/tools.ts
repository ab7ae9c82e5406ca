/** Faults of the harness's own tools. They must not look like faults of the kernel, and dependent experiments must not pass. */
import { frames, type Fault } from '../fault.js';

/** Experiments with negative and positive results that all need captures. */
const captured = ['a1-private-to-sibling', 'a1-private-to-parent', 'A0.7', 'A3.3', 'A3.5'];

/** Sends a signal to all processes of a program in the machine. At least the first call must find one. */
function toAll(program: string, signal: string): string {
  return `
met=/run/macvlab/met-${program}
for each in /proc/[0-9]*; do
  [ "$(cat $each/comm 2>/dev/null)" = ${program} ] || continue
  kill -${signal} "\${each#/proc/}"
  : >$met
done
[ -e $met ]`;
}

/** A ping of the harness: the middle of every exchange. */
const ping = /\bping -n\b/;

/** Changes tcpdump's text on its way. The process that receives signals is tcpdump itself. */
const throughFifo = (reader: string, redirection: string) =>
  `fifo=/run/macvlab/fifo-$$; mkfifo $fifo; ${reader} & exec $real "$@" ${redirection}`;

/** Leaves out the commands of iproute2 that contain these words: whole calls, and lines of a process that reads lines. */
const without = (words: string) => `
case "$*" in
  *"${words}"*) exit 0 ;;
  *-batch*) while IFS= read -r line; do case $line in *"${words}"*) ;; *) echo "$line" ;; esac; done | $real "$@"; exit ;;
esac
exec $real "$@"`;

export const tools: readonly Fault[] = [
  {
    id: 'tools/tcpdump-dead',
    of: 'tools',
    imitates: 'a tcpdump that cannot begin',
    injections: [{ way: 'tool', program: 'tcpdump', script: 'echo "you may not capture" >&2; exit 1' }],
    experiments: ['A1.1'],
    expected: { verdict: 'error', reason: /CAPTURE_START/ },
  },
  {
    id: 'tools/tcpdump-never-listens',
    of: 'tools',
    imitates: 'a tcpdump that hangs before it listens',
    injections: [{ way: 'tool', program: 'tcpdump', script: 'exec sleep 1000' }],
    experiments: ['A1.1'],
    expected: { verdict: 'error', reason: /CAPTURE_START/ },
    timeoutFactor: 0.3,
  },
  {
    id: 'tools/tcpdump-dies',
    of: 'tools',
    imitates: 'a tcpdump that dies behind its first frame',
    injections: [{ way: 'tool', program: 'tcpdump', script: 'exec $real -c 1 "$@"' }],
    experiments: ['A1.5', 'A3'],
    expected: { verdict: 'error', reason: /CAPTURE_ENDED/ },
  },
  {
    id: 'tools/tcpdump-killed',
    of: 'tools',
    imitates: 'captures that somebody kills while a ping is on its way',
    injections: [{ way: 'behind', command: ping, script: toAll('tcpdump', 'KILL') }],
    experiments: ['A1.5', 'A3'],
    expected: { verdict: 'error', reason: /CAPTURE_ENDED/ },
  },
  {
    id: 'tools/tcpdump-frozen',
    of: 'tools',
    imitates: 'captures that stop, and neither end nor deliver anything more',
    injections: [{ way: 'behind', command: ping, script: toAll('tcpdump', 'STOP') }],
    experiments: ['a1-private-to-sibling', 'a1-private-to-parent', 'a1-vepa-to-sibling', 'a1-vepa-to-parent', 'A0.7'],
    expected: { verdict: 'error', reason: /WAIT_DEADLINE: waited \d+ ms for a witness to be seen/ },
    timeoutFactor: 0.2,
  },
  {
    id: 'tools/tcpdump-drops',
    of: 'tools',
    imitates: 'captures that lose frames, and say so in their counters',
    injections: [
      {
        way: 'tool',
        program: 'tcpdump',
        script: throughFifo(
          `perl -pe 'BEGIN { $| = 1 } s/, 0 packets dropped/", " . 7 * ++$n . " packets dropped"/e' <$fifo >&2`,
          '2>$fifo',
        ),
      },
    ],
    experiments: ['a1-private-to-sibling', 'a1-private-to-parent', 'A0.7'],
    expected: { verdict: 'error', reason: /CAPTURE_DROPPED/ },
  },
  {
    id: 'tools/tcpdump-blind',
    of: 'tools',
    imitates: 'captures that listen, and show no frame at all',
    injections: [{ way: 'tool', program: 'tcpdump', script: 'exec $real "$@" "less 1"' }],
    experiments: ['a1-bridge-to-other-host', 'a1-private-to-sibling', 'A3.3'],
    expected: { verdict: 'error', reason: /WAIT_DEADLINE: waited \d+ ms for a witness to be seen/ },
    timeoutFactor: 0.2,
  },
  {
    id: 'tools/tcpdump-blind-to-echoes',
    of: 'tools',
    imitates: 'captures that show no ICMP, and say nothing of it',
    injections: [{ way: 'tool', program: 'tcpdump', script: 'exec $real "$@" not icmp' }],
    experiments: captured,
    expected: { verdict: 'error', reason: /WAIT_DEADLINE: waited \d+ ms for a witness to be seen/ },
    timeoutFactor: 0.2,
  },
  {
    id: 'tools/tcpdump-blind-to-arp-replies',
    of: 'tools',
    imitates: 'captures that show no ARP replies, and say nothing of it',
    injections: [{ way: 'tool', program: 'tcpdump', script: 'exec $real "$@" "not (arp[6:2] = 2)"' }],
    experiments: ['A3.3', 'A3.5', 'a1-vepa-hairpin-to-sibling'],
    expected: { verdict: 'error', reason: /WAIT_DEADLINE: waited \d+ ms for a witness to be seen/ },
    timeoutFactor: 0.2,
  },
  {
    id: 'tools/tcpdump-garbage',
    of: 'tools',
    imitates: 'a tcpdump that writes what is no capture',
    injections: [
      {
        way: 'tool',
        program: 'tcpdump',
        script: 'echo "tcpdump: listening on this" >&2; head -c 4096 /dev/urandom; exec sleep 1000',
      },
    ],
    experiments: ['A1.1', 'A1.2'],
    expected: { verdict: 'error', reason: /CAPTURE_START: .* a pcap file expected/ },
  },
  {
    id: 'tools/tcpdump-late',
    of: 'tools',
    imitates: 'captures that deliver each frame a third of a second late',
    injections: [
      {
        way: 'tool',
        program: 'tcpdump',
        script: throughFifo(
          `perl -e 'while (sysread STDIN, $b, 65536) { select undef, undef, undef, 0.3; syswrite STDOUT, $b }' <$fifo`,
          '>$fifo',
        ),
      },
    ],
    experiments: ['A1.1', 'A1.2', 'A3.3', 'A3.5'],
    expected: { verdict: 'passed', reason: /./ },
  },
  {
    id: 'tools/ping-says-nothing',
    of: 'tools',
    imitates: 'a ping that ends at once without a word',
    injections: [{ way: 'tool', program: 'ping', script: 'exit 0' }],
    experiments: ['A1.1', 'A1.2'],
    expected: { verdict: 'error', reason: /PROBE_UNREADABLE/ },
  },
  {
    id: 'tools/ping-claims-an-answer',
    of: 'tools',
    imitates: 'a ping that sends nothing, and says that it was answered',
    injections: [
      {
        way: 'tool',
        program: 'ping',
        script: 'echo "1 packets transmitted, 1 received, 0% packet loss, time 0ms"',
      },
    ],
    experiments: [
      'a1-bridge-to-sibling',
      'a1-bridge-to-gateway',
      'a1-bridge-to-other-host',
      'a1-private-to-sibling',
      'A3.3',
      'A4.6',
    ],
    expected: { verdict: 'error', reason: /WAIT_DEADLINE: waited \d+ ms for a witness to be seen/ },
    timeoutFactor: 0.2,
  },
  {
    id: 'tools/ping-claims-a-loss',
    of: 'tools',
    imitates: 'a ping that says that nothing came back, whatever did',
    injections: [
      {
        way: 'tool',
        program: 'ping',
        script: '$real "$@" >/dev/null; echo "1 packets transmitted, 0 received, 100% packet loss, time 0ms"; exit 1',
      },
    ],
    experiments: ['A1.1', 'A1.2', 'A3'],
    expected: { verdict: 'error', reason: /CONTROL_FAILED/ },
  },
  {
    id: 'tools/ping-hangs',
    of: 'tools',
    imitates: 'a ping that does nothing, and does not end',
    injections: [{ way: 'tool', program: 'ping', script: '[ "$1" != -V ] || exec $real -V; exec sleep 1000' }],
    experiments: ['a1-bridge-to-other-host', 'a1-private-to-sibling'],
    expected: { verdict: 'error', reason: /WAIT_DEADLINE: waited \d+ ms for the first frame of a ping/ },
    timeoutFactor: 0.1,
  },
  {
    id: 'tools/arping-dead',
    of: 'tools',
    imitates: 'an arping that cannot begin',
    injections: [{ way: 'tool', program: 'arping', script: 'exit 1' }],
    experiments: ['A4.8'],
    expected: { verdict: 'error', reason: /PROBE_UNREADABLE/ },
  },
  {
    id: 'tools/ip-makes-nothing',
    of: 'tools',
    imitates: 'an ip that makes no link, and says that it has',
    injections: [{ way: 'tool', program: 'ip', script: without('link add') }],
    experiments: ['A0.2', 'A1.1', 'A1.2'],
    expected: { verdict: 'error', reason: /LINK_REFUSED/ },
  },
  {
    id: 'tools/ip-prints-half',
    of: 'tools',
    imitates: 'an ip whose JSON is cut short',
    injections: [
      {
        way: 'tool',
        program: 'ip',
        // Both outputs go through one pipe, which keeps their order.
        script: `case "$*" in *-j*) $real "$@" 2>&1 | sed -u 's/^\\(.\\{100\\}\\).*/\\1/' ;; *) exec $real "$@" ;; esac`,
      },
    ],
    experiments: ['A0.2', 'A1.1', 'A1.2'],
    expected: { verdict: 'error', reason: /LINK_UNREADABLE/ },
  },
  {
    id: 'tools/ip-forgets-nothing',
    of: 'tools',
    imitates: 'an ip that flushes no neighbours, and says that it has',
    injections: [{ way: 'tool', program: 'ip', script: without('flush') }],
    experiments: [
      'A3.3',
      'A3.5',
      'a1-promiscuous-private-none',
      'a1-promiscuous-private-parent',
      'a1-promiscuous-private-children',
      'a1-promiscuous-private-both',
    ],
    expected: { verdict: 'error', reason: /LINK_IGNORED.*neighbour/ },
  },
  {
    id: 'tools/bridge-changes-nothing',
    of: 'tools',
    imitates: 'a bridge that sets no flag, and says that it has',
    injections: [{ way: 'tool', program: 'bridge', script: without('link set') }],
    experiments: ['A1.4', 'A1.6'],
    expected: { verdict: 'error', reason: /LINK_IGNORED: switch: port node1: hairpin/ },
  },
  {
    id: 'tools/ssh-gone',
    of: 'tools',
    imitates: 'an sshd that is killed while a ping is on its way',
    injections: [{ way: 'behind', command: ping, script: 'kill -KILL $PPID', there: true, fatal: true }],
    experiments: ['A1.1', 'A1.2'],
    expected: { verdict: 'error', reason: /REMOTE_DEAD/ },
  },
  {
    id: 'tools/machine-gone',
    of: 'tools',
    imitates: 'a machine on which everything is killed while a ping is on its way',
    injections: [{ way: 'behind', command: ping, script: 'kill -KILL -1', fatal: true }],
    experiments: ['A1.1', 'A1.2'],
    expected: { verdict: 'error', reason: /REMOTE_DEAD/ },
  },
  {
    id: 'tools/ssh-frozen',
    of: 'tools',
    imitates: 'an sshd that stops right before a ping, and never goes on',
    injections: [{ way: 'behind', command: /neighbour flush/, script: stopping('1000'), there: true, fatal: true }],
    experiments: ['a1-private-to-sibling'],
    expected: { verdict: 'error', reason: /REMOTE_DEADLINE/ },
    timeoutFactor: 0.1,
  },
  {
    id: 'tools/ssh-slow',
    of: 'tools',
    imitates: 'an sshd that stops for a moment in the middle of each ping',
    injections: [{ way: 'behind', command: ping, script: stopping('0.3'), there: true }],
    experiments: ['A1.1', 'A1.2', 'A3.3', 'A3.5'],
    expected: { verdict: 'passed', reason: /./ },
  },
  {
    id: 'tools/clock-jumps-forward',
    of: 'tools',
    imitates: 'a clock that jumps a minute forward while each ping is on its way',
    injections: [{ way: 'clock', command: ping, milliseconds: 60_000, after: 'each' }],
    experiments: ['a1-bridge-to-other-host'],
    expected: { verdict: 'error', reason: /CLOCK_JUMPED/ },
  },
  {
    id: 'tools/clock-jumps-once',
    of: 'tools',
    imitates:
      'a clock that jumps two seconds forward while the first ping is on its way: the experiment runs once more',
    injections: [{ way: 'clock', command: ping, milliseconds: 2000, after: 'first' }],
    experiments: ['a1-bridge-to-other-host', 'a1-private-to-sibling'],
    expected: { verdict: 'passed', reason: /./ },
  },
  {
    id: 'tools/clock-jumps-back',
    of: 'tools',
    imitates: 'a clock that jumps a minute back while each ping is on its way',
    injections: [{ way: 'clock', command: ping, milliseconds: -60_000, after: 'each' }],
    experiments: ['a1-private-to-sibling'],
    expected: { verdict: 'error', reason: /CLOCK_JUMPED/ },
  },
  {
    id: 'tools/clock-jumps-a-little',
    of: 'tools',
    imitates: 'a clock that is set back by 50 milliseconds while each ping is on its way',
    injections: [{ way: 'clock', command: ping, milliseconds: -50, after: 'each' }],
    experiments: ['a1-bridge-to-other-host'],
    expected: { verdict: 'error', reason: /CLOCK_JUMPED/ },
  },
  {
    id: 'tools/switch-without-power',
    of: 'tools',
    imitates: 'a lab whose switch passes nothing: that is not macvlan’s fault',
    injections: ['node1', 'node2', 'router'].map((port) => frames('switch', port, 'egress', 'drop')),
    experiments: [
      'a1-bridge-to-gateway',
      'a1-bridge-to-other-host',
      'a1-private-to-sibling',
      'a1-private-to-parent',
      'a2-macvtap-read-write',
      'a2-macvtap-delivery',
      'A3.3',
      'X2.6',
    ],
    expected: { verdict: 'error', reason: /CONTROL_FAILED/ },
    timeoutFactor: 0.3,
  },
  {
    id: 'tools/disk-full',
    of: 'tools',
    imitates: 'a disk that is full before the run’s records are written',
    injections: [{ way: 'disk', size: '64k' }],
    experiments: ['A1'],
    expected: { verdict: 'error', reason: /OUT_NOT_WRITABLE/ },
  },
  {
    id: 'tools/disk-full-meanwhile',
    of: 'tools',
    imitates: 'a disk that becomes full while a ping is on its way: its captures can no longer be kept',
    injections: [
      { way: 'disk', size: '16m' },
      { way: 'full', command: ping, of: 'bytes' },
    ],
    experiments: ['A1'],
    expected: { verdict: 'error', reason: /OUT_NOT_WRITABLE/ },
  },
  {
    id: 'tools/disk-without-inodes-meanwhile',
    of: 'tools',
    imitates: 'a disk that takes no more files from the moment on that a ping is on its way',
    injections: [
      { way: 'disk', size: '16m' },
      { way: 'full', command: ping, of: 'files' },
    ],
    experiments: ['A1'],
    expected: { verdict: 'error', reason: /OUT_NOT_WRITABLE/ },
  },
];

/** Stops the sshd of a session, and continues it after some seconds. */
function stopping(seconds: string): string {
  return `sshd=$PPID; (sleep ${seconds}; kill -CONT $sshd) </dev/null >/dev/null 2>&1 & kill -STOP $sshd`;
}
