/** Faults of container engines, or of the system below them, with macvlan networks. */
import type { Injection, Fault } from '../fault.js';

/** Changes the command with which docker or podman makes a network. */
function network(change: (argv: readonly string[]) => readonly string[]): Injection {
  return { way: 'rewrite', command: /(docker|podman) .*network create/, to: change };
}

/** Removes an option with its value from a command. */
function without(option: string) {
  return (argv: readonly string[]) => argv.filter((word, index) => word !== option && argv[index - 1] !== option);
}

export const engines: readonly Fault[] = [
  {
    id: 'engines/docker-on-another-parent',
    of: 'network',
    imitates: 'a docker network that sits on another parent than the one that was named',
    injections: [
      {
        way: 'wired',
        script:
          'for node in node1 node2; do ip -n $node link add name other type veth peer name end; ip -n $node link set dev other up; done',
      },
      network((argv) => argv.map((word) => word.replace('parent=eth1', 'parent=other'))),
    ],
    experiments: ['a0-docker-children', 'a0-docker-across-nodes'],
    expected: { verdict: 'failed', reason: /index of the link below/ },
  },
  {
    id: 'engines/podman-on-another-parent',
    of: 'network',
    imitates: 'a podman network that sits on another parent than the one that was named',
    injections: [
      {
        way: 'wired',
        script:
          'for node in node1 node2; do ip -n $node link add name other type veth peer name end; ip -n $node link set dev other up; done',
      },
      network((argv) => argv.map((word) => word.replace('parent=eth1', 'parent=other'))),
    ],
    experiments: ['a0-podman-children', 'a0-podman-across-nodes'],
    expected: { verdict: 'failed', reason: /index of the link below/ },
  },
  {
    id: 'engines/mode-ignored',
    of: 'network',
    imitates: 'engines that make a network of mode bridge, whatever mode is asked for',
    injections: [network((argv) => argv.map((word) => word.replace(/mode=\w+/, 'mode=bridge')))],
    experiments: [
      'a0-docker-mode-bridge',
      'a0-docker-mode-private',
      'a0-docker-mode-vepa',
      'a0-docker-mode-passthru',
      'a0-podman-mode-bridge',
      'a0-podman-mode-private',
      'a0-podman-mode-vepa',
      'a0-podman-mode-passthru',
    ],
    expected: { verdict: 'failed', reason: /expected \S+ to be a macvlan of mode private, it is bridge/ },
  },
  {
    id: 'engines/range-ignored',
    of: 'network',
    imitates: 'engines that hand out addresses from outside the range',
    injections: [network(without('--ip-range'))],
    experiments: ['a0-docker-ip-range', 'a0-podman-ip-range'],
    expected: { verdict: 'failed', reason: /to be within 192\.\.223/ },
  },
  {
    id: 'engines/reserved-handed-out',
    of: 'network',
    imitates: 'a docker that hands out addresses which are somebody else’s',
    injections: [network(without('--aux-address'))],
    experiments: ['a0-docker-aux-address'],
    expected: { verdict: 'failed', reason: /192\.168\.8\.12/ },
  },
  {
    id: 'engines/no-way-back',
    of: 'network',
    imitates: 'containers without a default route, although their network has a gateway',
    injections: [{ way: 'behind', command: /^ip netns attach/, script: defaultRoutesAway() }],
    experiments: ['a0-docker-gateway', 'a0-podman-gateway', 'a0-cni-gateway'],
    expected: { verdict: 'failed', reason: /echo request arrived at node1\/c1\/eth0, and nothing came back/ },
  },
  {
    id: 'engines/hairpin-stuck-on',
    of: 'network',
    imitates: 'a switch port that reflects although nobody has told it to, below containers of each engine',
    injections: [{ way: 'wired', script: 'in_stack switch bridge link set dev node1 hairpin on' }],
    experiments: [
      'a0-docker-mode-bridge',
      'a0-docker-mode-private',
      'a0-docker-mode-vepa',
      'a0-docker-mode-passthru',
      'a0-podman-mode-bridge',
      'a0-podman-mode-private',
      'a0-podman-mode-vepa',
      'a0-podman-mode-passthru',
      'a0-cni-mode-bridge',
      'a0-cni-mode-private',
      'a0-cni-mode-vepa',
      'a0-cni-mode-passthru',
      'a0-cni-own-host',
      'a0-docker-own-host',
      'a0-podman-own-host',
    ],
    expected: { verdict: 'failed', reason: /expected the ping from \S+ to \S+ \(.*\) to be lost/ },
  },
];

/** Removes the default routes of all containers of node1. */
function defaultRoutesAway(): string {
  return 'for each in /run/netns/node1-*; do ip -n "${each##*/}" route delete default 2>/dev/null || true; done';
}
