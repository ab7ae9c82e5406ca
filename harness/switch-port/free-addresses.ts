/** Finds free addresses for children: no host replies to an ARP probe for them (RFC 5227). */
import { MacvlabError } from '../core/error.js';
import { addressProbes, arping } from '../probe/arping.js';
import type { Base } from './segment.js';

/**
 * The first addresses of a list for which no host replies.
 * @param from the range of the addresses, for error messages
 * @param leftOut why other addresses of the range are not in the list, one per line
 * @returns the addresses, and the number of frames sent
 * @throws MacvlabError HOST_ADDRESSES if there are too few
 */
export async function freeAddresses(
  { stack, device }: Base,
  list: readonly string[],
  count: number,
  from: string,
  leftOut: readonly string[],
): Promise<{ addresses: string[]; asked: number }> {
  const [free, taken]: [string[], string[]] = [[], []];
  let asked = 0;
  for (let at = 0; at < list.length && free.length < count;) {
    const round = list.slice(at, at + count - free.length);
    at += round.length;
    const deadline = Math.ceil(stack.timeout(addressProbes.deadline));
    const answers = await Promise.all(
      round.map((address) => arping(stack, address, { ...addressProbes, device, deadline })),
    );
    for (const [index, { sent, received, macs }] of answers.entries()) {
      asked += sent;
      const address = round[index] ?? '';
      if (received === 0) free.push(address);
      else taken.push(`${address} is at ${macs.join(' and ')}`);
    }
  }
  if (free.length === count) return { addresses: free, asked };
  throw new MacvlabError(
    'HOST_ADDRESSES',
    `${count} free addresses are needed, and of ${from} there ${free.length === 1 ? 'is 1' : `are ${free.length}`}`,
    {
      evidence: [...taken, ...free.map((address) => `${address} is free`), ...leftOut].join('\n'),
      next: 'give a range that nobody uses, outside of what DHCP hands out: --addresses 10.0.0.240-10.0.0.250',
    },
  );
}
