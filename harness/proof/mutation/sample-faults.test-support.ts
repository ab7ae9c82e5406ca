/** Faults for tests of the mutation tests. Some do nothing, or do not match their description. */
import { frames, type Fault, replaceWord } from './fault.js';

const lost = frames('node2', 'eth1', 'egress', 'arp operation reply arp daddr ip 10.211.55.101 drop');
const experiments = ['a1-bridge-to-other-host'];
const imitates = 'a test of the mutation tests';

export const faults: readonly Fault[] = [
  {
    ...{ id: 'network/nothing', of: 'network', imitates, experiments },
    injections: [{ way: 'wired', script: 'true' }],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'network/never-injections', of: 'network', imitates, experiments },
    injections: [{ way: 'behind', command: /no such command/, script: 'true' }],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'network/cannot-be-made', of: 'network', imitates, experiments },
    injections: [{ way: 'wired', script: 'ip link set dev nothing up' }],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'network/changes-no-command', of: 'network', imitates, experiments },
    injections: [lost, replaceWord(/type macvlan mode bridge/, 'no-such-word', 'private')],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'network/right', of: 'network', imitates, experiments },
    injections: [lost],
    expected: { verdict: 'failed', reason: /ARP request arrived at node2/ },
  },
  {
    ...{ id: 'network/wrong-reason', of: 'network', imitates, experiments },
    injections: [lost],
    expected: { verdict: 'failed', reason: /the switch/ },
  },
  {
    ...{ id: 'network/no-such-experiment', of: 'network', imitates, experiments: ['Z99.1'] },
    injections: [lost],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'tools/blamed-on-the-kernel', of: 'tools', imitates, experiments },
    injections: [lost],
    expected: { verdict: 'error', reason: /./ },
  },
  {
    ...{ id: 'tools/passes', of: 'tools', imitates, experiments },
    injections: [{ way: 'tool', program: 'ping', script: 'exec $real "$@"' }],
    expected: { verdict: 'error', reason: /./ },
  },
  {
    ...{ id: 'tools/unused', of: 'tools', imitates, experiments },
    injections: [{ way: 'tool', program: 'arping', script: 'exit 1' }],
    expected: { verdict: 'passed', reason: /./ },
  },
  {
    ...{ id: 'tools/gone-before', of: 'tools', imitates, experiments },
    injections: [{ way: 'behind', command: /\bping -n\b/, script: 'kill -KILL $PPID', there: true }],
    expected: { verdict: 'error', reason: /REMOTE_DEAD/ },
  },
  {
    ...{ id: 'tools/right', of: 'tools', imitates, experiments },
    injections: [{ way: 'tool', program: 'ping', script: 'exit 0' }],
    expected: { verdict: 'error', reason: /PROBE_UNREADABLE/ },
  },
  {
    ...{ id: 'tools/harmless', of: 'tools', imitates, experiments },
    injections: [{ way: 'tool', program: 'ping', script: 'sleep 0.1; exec $real "$@"' }],
    expected: { verdict: 'passed', reason: /./ },
  },
];
