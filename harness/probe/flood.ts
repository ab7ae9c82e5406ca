/** Measures a device's traffic: echo requests as fast as they are answered, and the device's byte counters. */
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import { parseIpJson } from '../link/link-info.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { ping } from './ping.js';

export interface FloodOptions {
  echoes: number;
  /** Payload bytes of each. */
  size: number;
  /** The device whose counters are read before and after, and the stack that it is in. */
  counted: readonly [NetworkStack, string];
}

export interface FloodCost {
  received: number;
  /** By ping's own clock, from the first request to the last reply. */
  milliseconds: number;
  /** Bytes that the device sent and received meanwhile, headers and any other traffic included. */
  sentBytes: number;
  receivedBytes: number;
}

/** Floods an address with pings (`ping -f`: each request follows the last reply). @throws MacvlabError PROBE_UNREADABLE */
export async function measureFlood(from: NetworkStack, address: string, options: FloodOptions): Promise<FloodCost> {
  const [stack, device] = options.counted;
  const before = await readBytes(stack, device);
  const { received, duration } = await ping(from, address, {
    count: options.echoes,
    size: options.size,
    flood: true,
    wait: 2,
  });
  const after = await readBytes(stack, device);
  return {
    received,
    milliseconds: duration,
    sentBytes: after.tx.bytes - before.tx.bytes,
    receivedBytes: after.rx.bytes - before.rx.bytes,
  };
}

const bytes = z.looseObject({ bytes: z.number() });
const schema = z.array(z.looseObject({ stats64: z.looseObject({ rx: bytes, tx: bytes }) }));

async function readBytes(stack: NetworkStack, device: string): Promise<z.infer<typeof schema>[number]['stats64']> {
  const { stdout, stderr } = await stack.run(['ip', '-j', '-s', 'link', 'show', 'dev', device], 'reading');
  const [link] = parseIpJson(stdout, schema);
  if (link) return link.stats64;
  throw new MacvlabError('PROBE_UNREADABLE', `${stack.name}: ip shows no counters of ${device}`, {
    evidence: stderr,
    next: 'check that the device exists',
  });
}
