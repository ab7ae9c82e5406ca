/** Flags of a Linux bridge's ports, by bridge(8). */
import { z } from 'zod';
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { parseIpJson } from './link-info.js';

/** The names of flags in bridge(8), on its command line and in its JSON output. */
export type BridgePortFlag = 'hairpin' | 'isolated' | 'learning' | 'flood' | 'bcast_flood' | 'mcast_flood';

const portSchema = z.array(
  z.looseObject({ ifname: z.string(), master: z.string().optional(), state: z.string().optional() }),
);

/** A bridge port as `bridge -j -d link` shows it. */
export type BridgePortInfo = z.infer<typeof portSchema>[number];

/** Switches a flag of a port on or off; hairpin sends a frame back out of the port that received it. */
export function setBridgePortFlag(
  stack: NetworkStack,
  port: string,
  flag: BridgePortFlag,
  on: boolean,
): Change<boolean> {
  const set = (value: boolean) => ['bridge', 'link', 'set', 'dev', port, flag, value ? 'on' : 'off'];
  return {
    stack,
    what: `port ${port}: ${flag} ${on ? 'on' : 'off'}`,
    command: set(on),
    read: ['bridge', '-j', '-d', 'link', 'show', 'dev', port],
    value: (output) => readFlag(output, flag),
    expected: on,
    undo: (before) => (before === undefined || before === on ? undefined : set(before)),
  };
}

/** The ports of a switch. @throws MacvlabError LINK_UNREADABLE */
export async function readBridgePorts(stack: NetworkStack): Promise<BridgePortInfo[]> {
  const { stdout } = await stack.run(['bridge', '-j', '-d', 'link', 'show'], 'reading');
  return parseIpJson(stdout, portSchema);
}

function readFlag(output: string, flag: BridgePortFlag): boolean | undefined {
  const value = parseIpJson(output, portSchema)[0]?.[flag];
  return typeof value === 'boolean' ? value : undefined;
}
