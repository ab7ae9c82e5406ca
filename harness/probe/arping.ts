/** arping (iputils): who answers for an address on this link, asked below IP. */
import { MacvlabError } from '../core/error.js';
import type { CommandKind, NetworkStack } from '../remote/network-stack.js';

export interface ArpingOptions {
  device: string;
  /** How many requests; each is sent when the last is answered, or a second later. */
  count?: number;
  /** Seconds until it gives up, answered or not. */
  deadline?: number;
  /** Ask as somebody without an address, to find out whether one is taken (RFC 5227, ARP probe). */
  probe?: boolean;
  /** What it is asked for: default "probe". */
  kind?: CommandKind;
  /** Ask everybody each time; otherwise who has answered is asked alone. */
  broadcast?: boolean;
}

/**
 * How it is found out whether an address is taken: three probes (RFC 5227, 1.1: PROBE_NUM). They are sent a second apart, which is the
 * least that the RFC allows (PROBE_MIN), and the last is given a second, of the RFC's two (ANNOUNCE_WAIT).
 */
export const addressProbes = { probe: true, count: 3, deadline: 3 } as const;

export interface ArpingResult {
  sent: number;
  received: number;
  /** Who answered, in lower case, one entry per reply. */
  macs: string[];
}

/**
 * Asks who has an address. It ends with the last answer; only a missing one takes until the deadline.
 * @throws MacvlabError PROBE_UNREADABLE when arping prints no count, as that of another project does
 */
export async function arping(stack: NetworkStack, address: string, options: ArpingOptions): Promise<ArpingResult> {
  const { device, count = 1, deadline = 1, probe = false, broadcast = false, kind = 'probe' } = options;
  const flags = [...(probe ? ['-D'] : []), ...(broadcast ? ['-b'] : [])];
  const argv = ['arping', '-I', device, '-c', String(count), '-w', String(deadline), ...flags, address];
  const { stdout, stderr } = await stack.run(argv, kind);
  return parseArping(stdout, stderr);
}

/** Reads arping's output. @throws MacvlabError PROBE_UNREADABLE */
export function parseArping(stdout: string, stderr: string): ArpingResult {
  const sent = /^Sent (\d{1,15}) probe/m.exec(stdout)?.[1];
  const received = /^Received (\d{1,15}) response/m.exec(stdout)?.[1];
  if (sent === undefined || received === undefined) {
    throw new MacvlabError('PROBE_UNREADABLE', 'arping printed no count of what it sent and received', {
      evidence: `${stdout}${stderr}`,
      next: 'check that `arping -V` is of iputils (Debian: iputils-arping); another project has a program of this name',
    });
  }
  const macs = [
    ...stdout.matchAll(/^(?:Unicast|Broadcast) reply from \S+ \[([0-9A-F]{2}(?::[0-9A-F]{2}){5})\]/gim),
  ].map(([, mac = '']) => mac.toLowerCase());
  return { sent: Number(sent), received: Number(received), macs };
}
