/** arping (iputils): finds out below IP which hosts answer for an address on this link. */
import { MacvlabError } from '../core/error.js';
import type { CommandKind, NetworkStack } from '../remote/network-stack.js';

export interface ArpingOptions {
  device: string;
  /** The number of requests; each is sent after the last reply, or a second later. */
  count?: number;
  /** Seconds until it ends, with or without a reply. */
  deadline?: number;
  /** Send without a sender address, to detect whether an address is in use (RFC 5227, ARP probe). */
  probe?: boolean;
  /** The command's kind in the log: default "probe". */
  kind?: CommandKind;
  /** Send each request as a broadcast; otherwise later requests go only to the host that has answered. */
  broadcast?: boolean;
}

/**
 * Detects whether an address is in use: three probes (RFC 5227, 1.1: PROBE_NUM). They are sent at intervals of a
 * second, the RFC's minimum (PROBE_MIN). The wait after the last is one second, of the RFC's two (ANNOUNCE_WAIT).
 */
export const addressProbes = { probe: true, count: 3, deadline: 3 } as const;

export interface ArpingResult {
  sent: number;
  received: number;
  /** The senders of the replies, in lower case, one entry per reply. */
  macs: string[];
}

/**
 * Sends ARP requests for an address. It ends with the last reply; only a missing one takes until the deadline.
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
