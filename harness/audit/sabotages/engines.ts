/** What container engines, or what they stand on, may do wrong with macvlan networks. */
import type { Attack, Sabotage } from '../sabotage.js';

/** Changes what docker or podman is asked for when it makes a network. */
function network(change: (argv: readonly string[]) => readonly string[]): Attack {
  return { way: 'rewrite', command: /(docker|podman) .*network create/, to: change };
}

/** Takes an option with its value out of a command. */
function without(option: string) {
  return (argv: readonly string[]) => argv.filter((word, index) => word !== option && argv[index - 1] !== option);
}

export const engines: readonly Sabotage[] = [
  {
    id: 'engines/docker-on-another-parent',
    of: 'network',
    imitates: 'a docker network that sits on another parent than the one that was named',
    attacks: [
      {
        way: 'wired',
        script:
          'for node in node1 node2; do ip -n $node link add name other type veth peer name end; ip -n $node link set dev other up; done',
      },
      network((argv) => argv.map((word) => word.replace('parent=eth1', 'parent=other'))),
    ],
    experiments: ['docker: each container gets a macvlan child', 'docker: containers on two nodes'],
    expected: { verdict: 'failed', reason: /index of the link below/ },
  },
  {
    id: 'engines/podman-on-another-parent',
    of: 'network',
    imitates: 'a podman network that sits on another parent than the one that was named',
    attacks: [
      {
        way: 'wired',
        script:
          'for node in node1 node2; do ip -n $node link add name other type veth peer name end; ip -n $node link set dev other up; done',
      },
      network((argv) => argv.map((word) => word.replace('parent=eth1', 'parent=other'))),
    ],
    experiments: ['podman: each container gets a macvlan child', 'podman: containers on two nodes'],
    expected: { verdict: 'failed', reason: /index of the link below/ },
  },
  {
    id: 'engines/mode-ignored',
    of: 'network',
    imitates: 'engines that make a network of mode bridge, whatever mode is asked for',
    attacks: [network((argv) => argv.map((word) => word.replace(/mode=\w+/, 'mode=bridge')))],
    experiments: ['docker: mode', 'podman: mode'],
    expected: { verdict: 'failed', reason: /expected \S+ to be a macvlan of mode private, it is bridge/ },
  },
  {
    id: 'engines/range-ignored',
    of: 'network',
    imitates: 'engines that hand out addresses from outside the range',
    attacks: [network(without('--ip-range'))],
    experiments: ['docker: a range', 'podman: a range'],
    expected: { verdict: 'failed', reason: /to be within 192\.\.223/ },
  },
  {
    id: 'engines/reserved-handed-out',
    of: 'network',
    imitates: 'a docker that hands out addresses which are somebody else’s',
    attacks: [network(without('--aux-address'))],
    experiments: ['docker: --aux-address'],
    expected: { verdict: 'failed', reason: /192\.168\.8\.12/ },
  },
  {
    id: 'engines/no-way-back',
    of: 'network',
    imitates: 'containers without a default route, although their network has a gateway',
    attacks: [{ way: 'behind', command: /^ip netns attach/, script: defaultRoutesAway() }],
    experiments: ['docker: the gateway is', 'podman: the gateway is', 'cni: the gateway is'],
    expected: { verdict: 'failed', reason: /echo request arrived at node1\/c1\/eth0, and nothing came back/ },
  },
  {
    id: 'engines/hairpin-stuck-on',
    of: 'network',
    imitates: 'a switch port that reflects although nobody has told it to, below containers of each engine',
    attacks: [{ way: 'wired', script: 'in_stack switch bridge link set dev node1 hairpin on' }],
    experiments: ['docker: mode', 'podman: mode', 'cni: mode', 'does not reach its own host'],
    expected: { verdict: 'failed', reason: /expected the ping from \S+ to \S+ \(.*\) to be lost/ },
  },
];

/** Takes the default routes of all containers of node1 away. */
function defaultRoutesAway(): string {
  return 'for each in /run/netns/node1-*; do ip -n "${each##*/}" route delete default 2>/dev/null || true; done';
}
