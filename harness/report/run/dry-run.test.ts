import { expect } from 'chai';
import type { LoggedCommand } from '../../remote/command-log.js';
import { dryRunLines } from './dry-run.js';
import { aRecord } from './results.test-support.js';

describe('a dry run', () => {
  const command = (kind: LoggedCommand['kind'], argv: string[], more: Partial<LoggedCommand> = {}): LoggedCommand => ({
    ...{ at: 0, where: 'node1', namespace: undefined, argv, kind },
    ...more,
  });
  const inside = { where: 'node1/ns1', namespace: 'node1-ns1' };
  const script = command('change', ['sh', '-c', 'set -e\ndo it'], inside);
  const suite = {
    suite: {},
    commands: [command('change', ['ip', 'address', 'add', '10.0.0.1/24', 'dev', 'eth1']), script],
  };
  const wiring = [command('change', ['ip', 'link', 'add']), command('capture', ['tcpdump', '-i', 'eth1'])];

  const lines = dryRunLines({
    statement: ['hosts'],
    preparation: [{ machine: 'node1 (ops@host)', lines: ['reached'], details: ['$ ssh host'] }],
    details: true,
    experiments: [
      {
        record: aRecord({ number: 2, id: 'A1.2', title: 'second', verdict: 'skipped', reason: 'no router' }),
        commands: { wiring, setUps: [suite], own: [command('change', ['ip', 'never'])], exchanges: [] },
      },
      {
        record: aRecord({ number: 1, id: 'A1.1', title: 'first', verdict: 'passed' }),
        commands: {
          wiring,
          setUps: [suite],
          own: [
            command('reading', ['ip', 'link', 'show']),
            { ...script, where: 'node2/ns2', namespace: 'node2-ns2' },
            command('probe', ['ping', '10.0.0.2'], inside),
            command('change', ['ip', '-batch', '-'], { stdin: 'link one\nlink two\n' }),
            command('hook', ['./hook', 'hairpin', 'node1', 'on'], { where: 'switch' }),
            command('likeness', ['bridge', 'link'], { where: 'switch' }),
            command('undo', ['ip', 'link', 'delete', 'dev', 'eth0'], inside),
          ],
          exchanges: [],
        },
      },
      {
        record: aRecord({ number: 3, id: 'A1.3', title: 'third', verdict: 'error', reason: 'odd' }),
        commands: { wiring, setUps: [suite], own: [], exchanges: [] },
      },
    ],
  });

  it('tells who is prepared how, and who listens', () => {
    expect(lines.slice(0, 1)).to.deep.equal(['hosts']);
    expect(lines).to.include.members([
      'preparing',
      '  node1 (ops@host)',
      '    $ ssh host',
      '    node1$ tcpdump -i eth1',
    ]);
    expect(lines).to.not.include('    node1$ ip link add');
  });

  it('tells each suite’s set-up once, and what changes or sends something in each experiment, as hosts are given it', () => {
    const from = lines.indexOf('  set-up');
    expect(lines.slice(from)).to.deep.equal([
      '  set-up',
      '    node1$ ip address add 10.0.0.1/24 dev eth1',
      "    node1$ nsenter --net=/run/netns/node1-ns1 -- sh -c 'set -e",
      "      do it'",
      '  A1.1 first',
      "    node2$ nsenter --net=/run/netns/node2-ns2 -- sh -c 'set -e",
      '      … as above',
      '    node1$ nsenter --net=/run/netns/node1-ns1 -- ping 10.0.0.2',
      '    node1$ ip -batch -',
      '      < link one',
      '      < link two',
      '    here$ ./hook hairpin node1 on',
      '    node1, undoing$ ip -n node1-ns1 link delete dev eth0',
      '  A1.2 second: skipped: no router',
      '  A1.3 third: error in the dry run: odd',
      '',
    ]);
  });
});
