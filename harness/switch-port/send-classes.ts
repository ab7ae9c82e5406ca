/** Sends the frames that a switch may return: a few of each class, from the first child. */
import { arping } from '../probe/arping.js';
import { startPing } from '../probe/ping.js';
import { arpRequest, echoRequest, type FramePattern, neighbourSolicitation } from '../wire/pattern.js';
import { learn } from './ask.js';
import { linkLocalOf } from './mac-range.js';
import type { FrameClass } from './observation.js';
import { type Child, childDevice, group } from './segment.js';

/** How many frames of a class: one alone does not show a limit. */
const each = 3;
/** Seconds between them. */
const interval = 0.25;

export interface Children {
  one: Child;
  two: Child;
  /** Whether the second child sends frames as well, so that the switch has learned its address. */
  isPair: boolean;
  /** A child that has never sent a frame. */
  silent: Child;
  /** The second child's address. */
  address: string;
  /** The first child's address. */
  ownAddress: string;
  ipv6: boolean;
}

/** The sent frames of a class: the pattern that identifies them, and the child that they are for. */
export interface SentClass {
  class: FrameClass;
  pattern?: FramePattern;
  child: Child;
  skipped?: string;
}

/** Sends all classes. Only the second child replies; it has a static neighbour entry for the first. */
export async function sendClasses(children: Children): Promise<SentClass[]> {
  const { two, ownAddress, one, isPair } = children;
  if (isPair) await learn(two.stack, ownAddress, one.mac);
  const [unicast, ...others] = await Promise.all([
    sendUnicast(children),
    sendBroadcast(children),
    sendMulticast(children),
    sendSolicitation(children),
  ]);
  return [...unicast, ...others];
}

/** Sends to the second child, and then to its address at the MAC of the child that has never sent. */
async function sendUnicast({ one, two, isPair, silent, address }: Children): Promise<SentClass[]> {
  const to = async (child: Child, name: FrameClass, skipped?: string): Promise<SentClass> => {
    if (skipped !== undefined) return { class: name, child, skipped };
    await learn(one.stack, address, child.mac);
    const pattern = await sendEchoes(one, address, child.mac);
    return { class: name, pattern, child };
  };
  const why = isPair ? undefined : 'it takes a second MAC address that speaks (--max-macs 2)';
  return [await to(two, 'unicast to a learned address', why), await to(silent, 'unicast to an unknown address')];
}

async function sendBroadcast({ one, two, address }: Children): Promise<SentClass> {
  const deadline = Math.ceil(one.stack.timeout(each));
  await arping(one.stack, address, { device: childDevice, count: each, deadline, broadcast: true });
  const pattern = arpRequest({ who: address, from: one.mac, to: 'broadcast' });
  return { class: 'broadcast', pattern, child: two };
}

async function sendMulticast({ one, two }: Children): Promise<SentClass> {
  const pattern = await sendEchoes(one, group.address, group.mac);
  return { class: 'IPv4 multicast', pattern, child: two };
}

/** Sends one echo request that needs a neighbour: the kernel sends up to three solicitations, one per second. */
async function sendSolicitation({ one, two, ipv6 }: Children): Promise<SentClass> {
  const what = { class: 'IPv6 neighbour solicitation', child: two } as const;
  if (!ipv6) return { ...what, skipped: 'the host has no IPv6' };
  const target = linkLocalOf(two.mac);
  const ping = await startPing(one.stack, target, { count: 1, wait: 1, device: childDevice });
  await ping.ended;
  const pattern = neighbourSolicitation({ target, sourceMac: one.mac, to: 'multicast' });
  return { ...what, pattern };
}

async function sendEchoes(child: Child, address: string, mac: string): Promise<FramePattern> {
  const ping = await startPing(child.stack, address, { count: each, interval, wait: 1, ttl: 1, device: childDevice });
  await ping.ended;
  return echoRequest({ token: ping.token, sourceMac: child.mac, destinationMac: mac });
}
