/** The schema of an inventory, and the allowed values of each key. */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';

/** Not an option for ssh, and no text that a shell or ssh would split. */
const hostName = z.string().regex(/^(?!-)[A-Za-z0-9_.:%-]{1,255}$/);
const userName = z.string().regex(/^(?!-)[A-Za-z0-9_.@\\$-]{1,64}$/);
const hop = '(?:(?!-)[A-Za-z0-9_.@\\\\$-]+@)?(?:(?!-)[A-Za-z0-9_.%-]+|\\[[0-9A-Fa-f:.%a-z]+\\])(?::\\d{1,5})?';
const port = z.number().int().min(1).max(65_535);
const path = z.string().regex(/^[^\n\r"\0]{1,4096}$/);
/**
 * A name that the kernel accepts (net/core/dev.c, dev_valid_name), except for names that ip(8) would read as options.
 * It also has no comment, quotation mark or line end, because `ip -batch` and `bridge -batch` have no escape for them
 * (iproute2, lib/utils.c, makeargs).
 */
const device = z
  .string()
  .regex(/^(?![-.]+$)(?!-)[^\s/:%#'"\\\p{Cc}]{1,15}$/u)
  .refine((name) => Buffer.byteLength(name) <= 15);
const vlan = z.number().int().min(1).max(4094);

const reachable = {
  host: hostName,
  port: port.exactOptional(),
  user: userName.exactOptional(),
  identity: path.exactOptional(),
  sudo: z.boolean().exactOptional(),
  jump: z
    .string()
    .regex(new RegExp(`^${hop}(?:,${hop})*$`))
    .exactOptional(),
  'known-hosts': path.exactOptional(),
};

const machine = z.strictObject({ ...reachable, nic: device });

const reflects = z.union([z.enum(['on', 'off', 'unknown']), z.boolean().transform((on) => (on ? 'on' : 'off'))]);

const atNodes = <T extends z.ZodType>(of: T) =>
  z.strictObject({ node1: of.exactOptional(), node2: of.exactOptional(), router: of.exactOptional() });

const bridge = z.strictObject({
  ...reachable,
  device,
  ports: z.strictObject({ node1: device, node2: device, router: device.exactOptional() }),
});

const driver = z.strictObject({
  bridge: bridge.exactOptional(),
  command: z.array(z.string().min(1)).min(1).exactOptional(),
});

export const inventorySchema = z.strictObject({
  machines: z.strictObject({ node1: machine, node2: machine, router: machine.exactOptional() }),
  addresses: z
    .union([z.literal('articles'), z.array(z.string().refine(isNetwork)).min(1), z.string().refine(isNetwork)])
    .nullable()
    .exactOptional(),
  switch: z
    .strictObject({
      hairpin: atNodes(reflects).exactOptional(),
      vlans: z.array(vlan).exactOptional(),
      native: vlan.exactOptional(),
      driver: driver.exactOptional(),
    })
    .exactOptional(),
});

export type InventoryText = z.infer<typeof inventorySchema>;
export type ReachableText = z.infer<typeof bridge>;

/** "10.211.55.0/24": an address with a prefix length. */
function isNetwork(text: string): boolean {
  const [, address = '', prefix = ''] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  return (isIPv4(address) && Number(prefix) <= 32) || (isIPv6(address) && Number(prefix) <= 128);
}

const aPath = 'a file’s path, relative to the inventory’s folder, or from ~/';
const aDevice =
  'a network interface’s name: up to 15 characters, no slash, colon, quotation mark, # or white space, and no dash in front';

/** The allowed values of each key, for error messages. */
export const allowed: Readonly<Record<string, string>> = {
  machines: 'node1 and node2, and router if there is a third machine',
  node1: 'a machine: { host: 10.0.0.11, user: ops, nic: eth1 }',
  node2: 'a machine: { host: 10.0.0.12, user: ops, nic: eth1 }',
  router: 'a machine: { host: 10.0.0.13, user: ops, nic: eth1 }',
  host: 'an address, a name, or a Host of ~/.ssh/config',
  port: 'a number from 1 to 65535',
  user: 'a user’s name',
  identity: `a private key: ${aPath}`,
  sudo: 'true, false',
  jump: 'a host on the way, as `ssh -J` takes it: ops@bastion:22, or several with commas between',
  'known-hosts': aPath,
  nic: aDevice,
  device: aDevice,
  addresses: 'articles, or a list of networks: [10.211.55.0/24, 192.168.245.0/24]',
  switch: 'what is known of the switch: hairpin, vlans, native, driver',
  hairpin: 'a node and on, off or unknown: { node1: off, node2: unknown }',
  'hairpin.node1': 'on, off, unknown',
  'hairpin.node2': 'on, off, unknown',
  'hairpin.router': 'on, off, unknown',
  vlans: 'a list of numbers from 1 to 4094',
  native: 'a number from 1 to 4094',
  driver: 'bridge (a Linux bridge reached by SSH), or command (a program and its arguments, as a list)',
  bridge: 'host, device and ports: { host: 10.0.0.14, device: br0, ports: { node1: swp1, node2: swp2 } }',
  command: 'a list: [./switch-hook]; called as: ./switch-hook hairpin node1 on',
  ports: 'the bridge’s port for each machine: { node1: swp1, node2: swp2, router: swp3 }',
  'ports.node1': aDevice,
  'ports.node2': aDevice,
  'ports.router': aDevice,
};
