/** Trouble of the harness's own tools, which must never look like the kernel's. */
import type { Sabotage } from '../sabotage.js';

export const tools: readonly Sabotage[] = [
  {
    id: 'tools/tcpdump-dies',
    of: 'tools',
    imitates: 'a tcpdump that dies behind its tenth frame',
    attacks: [{ way: 'tool', program: 'tcpdump', script: 'exec $real -c 10 "$@"' }],
    experiments: ['A1.5'],
    expected: { verdict: 'error', reason: /CAPTURE_ENDED/ },
  },
];
