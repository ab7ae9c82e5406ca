/** What may be wrong on the way between two machines. */
import { frames, type Sabotage } from '../sabotage.js';

export const wires: readonly Sabotage[] = [
  {
    id: 'wires/arp-reply-dropped',
    of: 'network',
    imitates: 'a host whose ARP replies to one container are lost',
    attacks: [frames('node2', 'eth1', 'egress', 'arp operation reply arp daddr ip 10.211.55.101 drop')],
    experiments: ['A1.1'],
    expected: { verdict: 'failed', reason: /ARP request arrived at node2\/eth1 in, and nothing came back/ },
  },
  {
    id: 'wires/hairpin-stuck-on',
    of: 'network',
    imitates: 'a switch port that reflects although nobody has told it to',
    attacks: [{ way: 'wired', script: 'in_stack switch bridge link set dev node1 hairpin on' }],
    experiments: ['A1.3'],
    expected: { verdict: 'failed', reason: /expected the ping from ns1 to ns2 .* to be lost/ },
  },
];
