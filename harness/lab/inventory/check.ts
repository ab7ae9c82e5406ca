/** What an inventory's hosts have and lack for a lab, found by reaching them; nothing is changed there. */
import { MacvlabError, messageOf } from '../../core/error.js';
import { newKeyPair } from '../../remote/keys.js';
import { findProgram, installCommand } from '../../setup/tools.mjs';
import type { Finding } from '../driver.js';
import type { Inventory, InventoryMachine } from './inventory-file.js';
import { type HostAddress, placeOf } from './machine.js';
import { lookAtNic, type Nic } from './nic.js';
import { lookAtPorts } from './others-bridge.js';
import { reach, type ReachedHost } from './reach.js';

/** Asks each host of an inventory. */
export async function checkInventory(inventory: Inventory): Promise<Finding[]> {
  const { file, machines, bridge, switch: known, addresses } = inventory;
  const program = findProgram('ssh');
  const ssh: Finding = {
    what: 'ssh',
    found: program !== undefined,
    detail: program ?? 'is the way to the hosts',
    next: installCommand(['ssh']) ?? 'install an OpenSSH client',
  };
  const about: Finding[] = [
    { what: 'inventory', found: true, detail: file },
    { what: 'addresses', found: true, detail: addresses?.join(', ') ?? 'those of the articles' },
    { what: 'switch', found: true, detail: describe(known) },
  ];
  if (!ssh.found) return [ssh, ...about];
  const { driver } = known;
  const asked = await Promise.all([
    ...Object.values(machines).map((machine) => checkMachine(machine)),
    ...(bridge && driver && 'bridge' in driver
      ? [
          checkHost(bridge, async (host) => {
            await lookAtPorts(host, driver.bridge);
            return [{ what: `switch ${driver.bridge.device}`, found: true, detail: 'has the ports that are named' }];
          }),
        ]
      : []),
  ]);
  return [ssh, ...about, ...asked.flat()];
}

async function checkMachine({ address, nic }: InventoryMachine): Promise<Finding[]> {
  return checkHost(address, async (host) => [
    { what: `${address.name} ${nic}`, found: true, detail: describeNic(await lookAtNic(host, nic)) },
  ]);
}

/** Reaches a host, says what it is, and goes on to ask. */
async function checkHost(address: HostAddress, ask: (host: ReachedHost) => Promise<Finding[]>): Promise<Finding[]> {
  const { name } = address;
  try {
    const host = await reach(address, { keys: { host: newKeyPair(), user: newKeyPair() } });
    try {
      const about = { what: name, found: true, detail: `${placeOf(address)}: ${await describeHost(host)}` };
      return [about, ...(await ask(host).catch((error: unknown) => [missing(name, error)]))];
    } finally {
      await host.close();
    }
  } catch (error) {
    return [missing(name, error)];
  }
}

function missing(what: string, error: unknown): Finding {
  const next = error instanceof MacvlabError ? error.next : undefined;
  return { what, found: false, detail: messageOf(error), ...(next !== undefined && { next }) };
}

/** "Linux 6.1.0-18-amd64, Debian GNU/Linux 12 (bookworm), iproute2-6.1.0, tcpdump 4.99.3" */
async function describeHost({ release, session }: ReachedHost): Promise<string> {
  const script = [
    '. /etc/os-release 2>/dev/null; echo "$PRETTY_NAME"',
    'ip -V | sed "s/^ip utility, //;s/, libbpf.*//"',
    'tcpdump --version 2>&1 | sed -n "s/ version//;1p"',
  ];
  const { stdout } = await session.run(['sh', '-c', script.join('\n')]);
  return [`Linux ${release}`, ...stdout.split('\n').map((line) => line.trim())].filter(Boolean).join(', ');
}

function describeNic({ mac, link, carriesSsh }: Nic): string {
  const { linkinfo, mtu, operstate } = link;
  return [
    mac,
    linkinfo?.info_kind,
    `MTU ${mtu}`,
    operstate,
    carriesSsh === undefined
      ? 'perhaps carries the SSH connection'
      : carriesSsh
        ? 'carries the SSH connection'
        : undefined,
  ]
    .filter(Boolean)
    .join(', ');
}

function describe({ hairpin, vlans, native, driver }: Inventory['switch']): string {
  const reflects = Object.entries(hairpin).map(([node, on]) => `${on ? 'reflects' : 'does not reflect'} at ${node}`);
  const unknown = ['node1', 'node2'].filter((node) => !Object.hasOwn(hairpin, node));
  return [
    ...reflects,
    ...(unknown.length > 0 ? [`hairpin unknown at ${unknown.join(' and ')}`] : []),
    vlans ? `VLANs ${vlans.join(', ') || 'none'}` : 'VLANs unknown',
    ...(native === undefined ? [] : [`untagged ${native}`]),
    driver ? ('bridge' in driver ? 'set by SSH' : `set by ${driver.command.join(' ')}`) : 'nothing sets it',
  ].join('; ');
}
