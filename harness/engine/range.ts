/** The first and the last address of a range, for engines that do not accept CIDR form. */
import { isIPv4 } from 'node:net';

/** @param cidr of IPv4: "192.168.8.192/27" @throws TypeError for anything else */
export function endsOf(cidr: string): { first: string; last: string } {
  const [address = '', prefix = ''] = cidr.split('/');
  const bits = 32 - Number(prefix);
  if (!isIPv4(address) || !/^\d+$/.test(prefix) || bits < 0)
    throw new TypeError(`${cidr} is no range of IPv4 addresses`);
  const size = 2 ** bits;
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const first = Math.floor(number / size) * size;
  return { first: dotted(first), last: dotted(first + size - 1) };
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
