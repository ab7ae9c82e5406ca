/** Requests that must get a reply before the silence of a switch means anything. */
import { settled, apply } from '../link/change.js';
import { flushNeighbours } from '../link/neighbour.js';
import { arping } from '../probe/arping.js';
import { ping } from '../probe/ping.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { Capture } from '../wire/capture.js';
import { mark } from '../wire/capture-point.js';
import { anyOf, arpReply, arpRequest, echoRequest } from '../wire/pattern.js';
import type { Listening } from './listening.js';
import type { Control } from './observation.js';
import { type Base, type Child, childDevice, type HostNic } from './segment.js';

/** The host that gets the requests. */
export interface Target {
  to: Control['to'];
  address: string;
  /** If it is known, no ARP request is needed. */
  mac?: string | undefined;
}

/** Seconds for a reply; a slower switch cannot be used for anything. */
const answerSeconds = 4;

/** Sends an ARP request as the NIC itself, without an address of its own (RFC 5227, 2.1.1): tests whether the port passes anything. */
export async function askAsNic(
  base: Base,
  { to, address }: Target,
): Promise<{ control: Control; sent: number; mac?: string }> {
  const { sent, received, macs } = await askFor(base, address);
  const answered = received > 0;
  const [mac] = macs;
  return {
    control: {
      ...{ from: 'NIC', to, address, answered: answered ? 'ARP' : 'no', returned: 0, way: 'usual', when: 'before' },
    },
    sent,
    ...(mac !== undefined && { mac }),
  };
}

/** Sends one ARP request for an address, without a sender address. */
async function askFor({ stack, device }: Base, address: string) {
  const deadline = Math.ceil(stack.timeout(2));
  return arping(stack, address, { device, count: 1, deadline, probe: true });
}

export interface AskOptions {
  from: 'child 1' | 'child 2' | 'peer';
  child: Child;
  way?: Control['way'];
  when: Control['when'];
}

/** Sends ARP and echo requests as a child, without learned neighbours. */
export async function ask(
  listening: Listening,
  target: Target,
  { from, child, way = 'usual', when }: AskOptions,
): Promise<Control> {
  const { to, address, mac } = target;
  const { stack } = child;
  await forget(stack);
  if (way === 'direct' && mac !== undefined) await learn(stack, address, mac);
  const since = mark();
  const wait = Math.ceil(stack.timeout(answerSeconds));
  const result = await ping(stack, address, { count: 1, wait, device: childDevice });
  const [reply] = result.replies;
  if (reply) listening.took(reply.time);
  await listening.settle();
  if (way === 'direct') await forget(stack, address);
  const { nic, peer } = listening;
  const answers = arpReply({ from: address, to: child.mac });
  const given = listening.frames(child.wire.in, answers, since).length;
  const withheld = from === 'peer' ? 0 : listening.frames(nic.in, answers, since).length - given;
  const requests = anyOf(
    arpRequest({ who: address, from: child.mac }),
    echoRequest({ token: result.token, sourceMac: child.mac }),
  );
  const broadcasts = arpRequest({ who: address, from: child.mac, to: 'broadcast' });
  const unicasts = echoRequest({ token: result.token, sourceMac: child.mac, destinationMac: 'unicast' });
  return {
    ...{ from, to, address, way, when },
    answered: result.received > 0 ? 'echo' : given > 0 ? 'ARP' : 'no',
    ...(reply && { roundTrip: reply.time }),
    ...(from !== 'peer' && { left: listening.frames(nic.out, requests, since).length }),
    ...(withheld > 0 && given === 0 && { withheld }),
    ...(peer && from !== 'peer' && { atPeer: listening.frames(peer.in, broadcasts, since).length }),
    returned: from === 'peer' ? 0 : listening.frames(nic.in, unicasts, since).length,
  };
}

/** Sends requests while the NIC accepts all frames: a capture requests this for as long as it runs. */
export async function askPromiscuously(
  host: HostNic,
  listening: Listening,
  target: Target,
  options: AskOptions,
): Promise<Control> {
  const { stack, nic: device } = host;
  // The filter need not match anything: only the NIC's promiscuous mode matters.
  const filter = 'arp[6:2] = 0xffff';
  const capture = await Capture.open({
    name: `${stack.name}/${device} promiscuous`,
    stack,
    device,
    promiscuous: true,
    filter,
  });
  try {
    return await ask(listening, target, { ...options, way: 'promiscuous' });
  } finally {
    capture.close();
  }
}

/** Removes learned neighbours; or one static neighbour entry. */
async function forget(stack: NetworkStack, address?: string): Promise<void> {
  if (address === undefined) return flushNeighbours([{ stack }]);
  const command = ['ip', 'neighbour', 'delete', address, 'dev', childDevice];
  await apply([settled({ stack, what: 'forget neighbours', command })]);
}

/** Sets a static neighbour entry, in place of an existing one. */
export async function learn(stack: NetworkStack, address: string, mac: string): Promise<void> {
  const command = ['ip', 'neighbour', 'replace', address, 'lladdr', mac, 'nud', 'permanent', 'dev', childDevice];
  await apply([settled({ stack, what: `neighbour ${address} is at ${mac}`, command })]);
}
