/** What the kernel or an engine may do wrong with children and their modes. */
import { type Sabotage, words } from '../sabotage.js';

export const modes: readonly Sabotage[] = [
  {
    id: 'modes/private-made-as-bridge',
    of: 'network',
    imitates: 'a kernel that makes a child of mode bridge where private was asked for',
    attacks: [words(/type macvlan mode private/, 'private', 'bridge')],
    experiments: ['A1.2', 'A0.5'],
    expected: { verdict: 'failed', reason: /expected the ping from ns1 to ns2 .* to be lost/ },
  },
  {
    id: 'modes/changed-behind-the-back',
    of: 'network',
    imitates: 'somebody who changes a child from private to bridge once it has been made and read back',
    attacks: [
      {
        way: 'behind',
        command: /link add link eth1 .*netns node1-ns. type macvlan mode private/,
        script:
          'for ns in node1-ns1 node1-ns2; do ip -n $ns link set eth0 type macvlan mode bridge 2>/dev/null || true; done',
      },
    ],
    experiments: ['A1.2'],
    expected: { verdict: 'failed', reason: /expected the ping from ns1 to ns2 .* to be lost/ },
  },
];
