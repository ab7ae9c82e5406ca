/** Sabotages by which the audit itself is tried: some do nothing, or something else than they say. */
import { frames, type Sabotage, words } from './sabotage.js';

const lost = frames('node2', 'eth1', 'egress', 'arp operation reply arp daddr ip 10.211.55.101 drop');
const experiments = ['A1.1 bridge: ns1 reaches the other host'];
const imitates = 'a test of the audit';

export const sabotages: readonly Sabotage[] = [
  {
    ...{ id: 'network/nothing', of: 'network', imitates, experiments },
    attacks: [{ way: 'wired', script: 'true' }],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'network/never-strikes', of: 'network', imitates, experiments },
    attacks: [{ way: 'behind', command: /no such command/, script: 'true' }],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'network/cannot-be-made', of: 'network', imitates, experiments },
    attacks: [{ way: 'wired', script: 'ip link set dev nothing up' }],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'network/changes-no-command', of: 'network', imitates, experiments },
    attacks: [lost, words(/type macvlan mode bridge/, 'no-such-word', 'private')],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'network/right', of: 'network', imitates, experiments },
    attacks: [lost],
    expected: { verdict: 'failed', reason: /ARP request arrived at node2/ },
  },
  {
    ...{ id: 'network/wrong-reason', of: 'network', imitates, experiments },
    attacks: [lost],
    expected: { verdict: 'failed', reason: /the switch/ },
  },
  {
    ...{ id: 'network/no-such-experiment', of: 'network', imitates, experiments: ['Z99.1'] },
    attacks: [lost],
    expected: { verdict: 'failed', reason: /./ },
  },
  {
    ...{ id: 'tools/blamed-on-the-kernel', of: 'tools', imitates, experiments },
    attacks: [lost],
    expected: { verdict: 'error', reason: /./ },
  },
  {
    ...{ id: 'tools/passes', of: 'tools', imitates, experiments },
    attacks: [{ way: 'tool', program: 'ping', script: 'exec $real "$@"' }],
    expected: { verdict: 'error', reason: /./ },
  },
  {
    ...{ id: 'tools/unused', of: 'tools', imitates, experiments },
    attacks: [{ way: 'tool', program: 'arping', script: 'exit 1' }],
    expected: { verdict: 'passed', reason: /./ },
  },
  {
    ...{ id: 'tools/gone-before', of: 'tools', imitates, experiments },
    attacks: [{ way: 'behind', command: /\bping -n\b/, script: 'kill -KILL $PPID', there: true }],
    expected: { verdict: 'error', reason: /REMOTE_DEAD/ },
  },
  {
    ...{ id: 'tools/right', of: 'tools', imitates, experiments },
    attacks: [{ way: 'tool', program: 'ping', script: 'exit 0' }],
    expected: { verdict: 'error', reason: /PROBE_UNREADABLE/ },
  },
  {
    ...{ id: 'tools/harmless', of: 'tools', imitates, experiments },
    attacks: [{ way: 'tool', program: 'ping', script: 'sleep 0.1; exec $real "$@"' }],
    expected: { verdict: 'passed', reason: /./ },
  },
];
