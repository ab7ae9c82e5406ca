/** Links as the kernel shows them: `ip -j -d address show`, typed. */
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { LinkError } from './errno.js';

const addressSchema = z.looseObject({
  family: z.string(),
  local: z.string().optional(),
  prefixlen: z.number(),
  scope: z.string().optional(),
});

const linkSchema = z.looseObject({
  ifindex: z.number(),
  ifname: z.string(),
  flags: z.array(z.string()),
  mtu: z.number(),
  operstate: z.string(),
  address: z.string().optional(),
  promiscuity: z.number().optional(),
  allmulti: z.number().optional(),
  link_index: z.number().optional(),
  link: z.string().optional(),
  link_netnsid: z.number().optional(),
  linkinfo: z
    .looseObject({
      info_kind: z.string().optional(),
      info_data: z.looseObject({ mode: z.string().optional(), nodst: z.boolean().optional() }).optional(),
      info_slave_kind: z.string().optional(),
      info_slave_data: z.looseObject({ hairpin: z.boolean().optional() }).optional(),
    })
    .optional(),
  addr_info: z.array(addressSchema).optional(),
});

/** A link, with the fields that the harness uses; all other fields of `ip` are also there. */
export type LinkInfo = z.infer<typeof linkSchema>;

/** The command that shows all properties of one link. */
export function showLink(device: string): string[] {
  return ['ip', '-j', '-d', 'address', 'show', 'dev', device];
}

/** The first link in the output of {@link showLink}; undefined when there is none. @throws MacvlabError LINK_UNREADABLE */
export function parseLink(output: string): LinkInfo | undefined {
  return parseLinks(output)[0];
}

/** All links in the output of `ip -j -d link` or `ip -j -d address`. @throws MacvlabError LINK_UNREADABLE */
export function parseLinks(output: string): LinkInfo[] {
  return parseIpJson(output, z.array(linkSchema));
}

/** Reads one link. @throws LinkError when there is no such device */
export async function readLink(stack: NetworkStack, device: string): Promise<LinkInfo> {
  const argv = showLink(device);
  const result = await stack.run(argv, 'reading');
  const link = result.status === 0 ? parseLink(result.stdout) : undefined;
  if (!link) throw new LinkError(`${stack.name}: show ${device}`, argv, result.stderr || 'nothing was printed');
  return link;
}

/** Reads all links of a stack. */
export async function readLinks(stack: NetworkStack): Promise<LinkInfo[]> {
  const argv = ['ip', '-j', '-d', 'address', 'show'];
  const result = await stack.run(argv, 'reading');
  if (result.status !== 0) throw new LinkError(`${stack.name}: show links`, argv, result.stderr);
  return parseLinks(result.stdout);
}

/** The macvlan mode of a link: "bridge"; undefined when it is not a macvlan. */
export function macvlanMode(link: LinkInfo | undefined): string | undefined {
  return link?.linkinfo?.info_kind?.startsWith('macv') ? link.linkinfo.info_data?.mode : undefined;
}

/** Parses the output of `ip -j` or `bridge -j`, and checks its structure. @throws MacvlabError LINK_UNREADABLE */
export function parseIpJson<T>(output: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    // iproute2 prints nothing for an empty list, and empty objects for links that a filter left out.
    json = output.trim() === '' ? [] : (JSON.parse(output) as unknown);
  } catch (error) {
    throw unreadable(output, 'it is not JSON', error);
  }
  const list = Array.isArray(json)
    ? json.filter((item: unknown) => typeof item !== 'object' || item === null || Object.keys(item).length > 0)
    : json;
  const parsed = schema.safeParse(list);
  if (!parsed.success) throw unreadable(output, z.prettifyError(parsed.error));
  return parsed.data;
}

function unreadable(output: string, why: string, cause?: unknown): MacvlabError {
  return new MacvlabError('LINK_UNREADABLE', `the output of ip could not be read back: ${why}`, {
    evidence: output.slice(0, 2000),
    next: 'check that `ip -V` is iproute2 4.18 or newer; busybox’s ip has no JSON output',
    cause,
  });
}
