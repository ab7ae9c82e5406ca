/** Compares and counts sent and returned frames. */
import type { Frame } from '../wire/protocol/frame.js';
import type { FramePattern } from '../wire/pattern.js';
import type { ClassObservation, FrameClass } from './observation.js';

/** The frames at each place where a class may be seen. */
export interface Seen {
  /** Leaving the NIC, and entering it. */
  out: readonly Frame[];
  in: readonly Frame[];
  /** Received by the child that they are for. */
  child: readonly Frame[];
  /** Entering the peer's NIC. */
  peer?: readonly Frame[] | undefined;
}

/** Bytes to which a short frame is padded on the wire, without its check sequence (IEEE 802.3, 3.2.8). */
const shortest = 60;

/** Counts the frames of one class, which the pattern identifies. */
export function countClass(name: FrameClass, pattern: FramePattern, seen: Seen): ClassObservation {
  const matching = (frames: readonly Frame[]) => frames.filter((frame) => pattern.matches(frame));
  const [out, back] = [matching(seen.out), matching(seen.in)];
  const copies = new Map<number | undefined, number>();
  for (const { icmp } of back) copies.set(icmp?.sequence, (copies.get(icmp?.sequence) ?? 0) + 1);
  // Each echo has a number; ARP requests and solicitations are all alike.
  const alike = copies.get(undefined) ?? 0;
  copies.delete(undefined);
  const returned = copies.size + Math.min(alike, out.length);
  const first = out[0];
  return {
    class: name,
    sent: out.length,
    returned,
    copies: back.length,
    delivered: matching(seen.child).length,
    changes: first ? [...new Set(back.flatMap((frame) => differences(first, frame)))] : [],
    ...(seen.peer && { atPeer: matching(seen.peer).length }),
  };
}

/** The changes of a frame on its way, as text; differences between one echo and the next do not count. */
export function differences(sent: Frame, returned: Frame): string[] {
  const compared: [string, (frame: Frame) => string | number | undefined][] = [
    ['tag', tagsOf],
    ['priority', (frame) => frame.vlans.map(({ priority }) => priority).join(' in ')],
    ['length', (frame) => Math.max(frame.length - 4 * frame.vlans.length, shortest)],
    ['source MAC', ({ ethernet }) => ethernet?.source],
    ['destination MAC', ({ ethernet }) => ethernet?.destination],
    ['type', ({ ethernet }) => ethernet?.type],
    ['TTL', ({ ipv4, ipv6 }) => ipv4?.ttl ?? ipv6?.hopLimit],
    ['content', contentOf],
  ];
  return compared
    .filter(([what, of]) => of(sent) !== of(returned) && !(what === 'priority' && tagsOf(sent) !== tagsOf(returned)))
    .map(([what, of]) => `${what}: ${of(sent)} sent, ${of(returned)} returned`);
}

function tagsOf({ vlans }: Frame): string {
  return vlans.map(({ id }) => `VLAN ${id}`).join(' in ') || 'none';
}

/** ping stores the time in the first 16 bytes of its data (ping(8), "-p"). */
function contentOf({ arp, icmp }: Frame): string {
  const data = icmp?.payload ? Buffer.from(icmp.payload.subarray(16)).toString('hex') : '';
  return [arp && Object.values(arp).join(' '), icmp?.kind, icmp?.target, icmp?.linkLayerAddress, data]
    .filter(Boolean)
    .join(' ');
}
