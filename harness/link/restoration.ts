/**
 * The commands that restore the current state of a device: up or down, its addresses, and its routes. A link that is
 * set down loses its IPv6 addresses and all routes. It regains only those that the kernel creates by itself
 * (net/ipv4/fib_frontend.c, fib_netdev_event; net/ipv6/addrconf.c, addrconf_ifdown).
 */
import { z } from 'zod';
import type { NetworkStack } from '../remote/network-stack.js';
import { LinkError } from './errno.js';
import { type LinkInfo, parseLink, showLink } from './link-info.js';

const addressSchema = z.looseObject({
  family: z.string(),
  local: z.string(),
  /** The peer's, of a point-to-point address. */
  address: z.string().optional(),
  prefixlen: z.number(),
  broadcast: z.string().optional(),
  label: z.string().optional(),
  scope: z.string().optional(),
  metric: z.number().optional(),
  valid_life_time: z.number().optional(),
  preferred_life_time: z.number().optional(),
  noprefixroute: z.boolean().optional(),
  mngtmpaddr: z.boolean().optional(),
  home: z.boolean().optional(),
  temporary: z.boolean().optional(),
  nodad: z.boolean().optional(),
  /** Its creator, as far as the kernel shows it: "kernel_ll". */
  protocol: z.string().optional(),
});

type Address = z.infer<typeof addressSchema>;

/** Reads a device, and returns the commands; they change nothing if the state is unchanged. @throws LinkError */
export async function readRestoration(stack: NetworkStack, device: string): Promise<string[][]> {
  const routes = (family: string) => ['ip', family, 'route', 'show', 'table', 'all', 'dev', device];
  const argvs = [showLink(device), routes('-4'), routes('-6')];
  const entries = argvs.map((argv) => stack.note(argv, 'reading'));
  const results = await stack.session.batch(argvs.map((argv) => ({ argv: stack.enter(argv), mayFail: true })));
  for (const [index, entry] of entries.entries()) {
    const result = results[index];
    if (result) stack.log.end(entry, result);
  }
  const [shown, v4, v6] = results;
  const link = shown?.status === 0 ? parseLink(shown.stdout) : undefined;
  if (!link) throw new LinkError(`${stack.name}: show ${device}`, showLink(device), shown?.stderr ?? '');
  // A kernel without IPv6 prints this.
  const words = [
    ...routeCommands(v4?.stdout ?? '', '-4', device),
    ...(v6?.status === 0 ? routeCommands(v6.stdout, '-6', device) : []),
  ];
  return restoration(link, words);
}

function restoration(link: LinkInfo, routes: string[][]): string[][] {
  const up = link.flags.includes('UP');
  return [
    ['ip', 'link', 'set', 'dev', link.ifname, up ? 'up' : 'down'],
    ...(link.addr_info ?? []).flatMap((each) => addressCommand(link, each)),
    ...(up ? routes : []),
  ];
}

/** The kernel's value for an unlimited lifetime. */
const forever = 0xffffffff;

function addressCommand(link: LinkInfo, given: unknown): string[][] {
  const device = link.ifname;
  const parsed = addressSchema.safeParse(given);
  if (!parsed.success || isKernels(link, parsed.data)) return [];
  const address: Address = parsed.data;
  const v6 = address.family === 'inet6';
  const { valid_life_time: valid = forever, preferred_life_time: preferred = forever } = address;
  return [
    [
      ...['ip', 'address', 'replace'],
      ...(address.address === undefined
        ? [`${address.local}/${address.prefixlen}`]
        : [address.local, 'peer', `${address.address}/${address.prefixlen}`]),
      ...(address.broadcast === undefined ? [] : ['broadcast', address.broadcast]),
      ...(address.label === undefined || v6 ? [] : ['label', address.label]),
      ...(address.scope === undefined || v6 ? [] : ['scope', address.scope]),
      ...(address.metric === undefined ? [] : ['metric', String(address.metric)]),
      ...['dev', device],
      ...(valid === forever ? [] : ['valid_lft', String(valid), 'preferred_lft', String(preferred)]),
      ...(['noprefixroute', 'mngtmpaddr', 'home', 'nodad'] as const).filter((flag) => address[flag]),
    ],
  ];
}

/** Whether the kernel creates an address by itself: a temporary one (RFC 8981), or the link-local one, unless it is configured not to. */
function isKernels(link: LinkInfo, { temporary, scope, protocol, family }: Address): boolean {
  if (temporary) return true;
  if (family !== 'inet6' || scope !== 'link') return false;
  return protocol === undefined ? link['inet6_addr_gen_mode'] !== 'none' : protocol === 'kernel_ll';
}

/** States of a route, which are not properties; and the unit of a lifetime. */
const states =
  /\b(linkdown|dead|offload|trap|rt_offload|rt_trap|offload_failed)\b|\berror -?\d+|\bcache\b|(?<=\bexpires \d+)sec/g;

/** `ip route show` prints what `ip route replace` accepts. The kernel restores the routes that it creates for addresses. */
function routeCommands(output: string, family: string, device: string): string[][] {
  // An indented line is one of several paths of a route; such routes are not restored.
  const own = output.split('\n').filter((line) => /^\S/.test(line) && !/\bproto kernel\b/.test(line));
  const commands = own.map((line) => {
    const words = line.replaceAll(states, ' ').trim().split(/\s+/);
    return ['ip', family, 'route', 'replace', ...words, 'dev', device];
  });
  // An existing route must lead to a gateway.
  return commands.sort((a, b) => Number(a.includes('via')) - Number(b.includes('via')));
}
