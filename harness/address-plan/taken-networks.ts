/** Networks that a host already uses. */
import { z } from 'zod';

import { isWithin, networkOf } from '../core/cidr.js';
import { parseIpJson } from '../link/link-info.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { Taken } from './address-map.js';

/** Networks that every interface has, or that lead nowhere. */
const nobodys = ['fe80::/10', 'ff00::/8', '127.0.0.0/8', '::1/128'];
const routes = z.array(z.looseObject({ dst: z.string(), dev: z.string().optional(), type: z.string().optional() }));

/** The networks that a host has routes to, except its default route, and where they lead. */
export async function takenBy(stack: NetworkStack): Promise<Taken[]> {
  const tables = await Promise.all(
    ['-4', '-6'].map((version) => stack.run(['ip', '-j', version, 'route', 'show', 'table', 'all'], 'reading')),
  );
  const found = tables.flatMap(({ stdout }) => parseIpJson(stdout, routes));
  return found
    .filter(
      ({ dst, type }) =>
        dst !== 'default' && [undefined, 'local'].includes(type) && !nobodys.some((each) => isWithin(dst, each)),
    )
    .map(({ dst, dev }) => ({
      network: networkOf(dst),
      by: `${stack.name} has a route to ${dst} already${dev === undefined ? '' : `, by ${dev}`}`,
    }));
}
