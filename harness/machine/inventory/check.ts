/** Checks what an inventory's hosts provide and lack for a lab; it reaches them, but changes nothing there. */
import { MacvlabError, messageOf } from '../../core/error.js';
import { arping } from '../../probe/arping.js';
import { measureClock } from '../../remote/clock.js';
import { CommandLog } from '../../remote/command-log.js';
import { newKeyPair } from '../../remote/keys.js';
import { NetworkStack } from '../../remote/network-stack.js';
import { findProgram, installCommand } from '../../setup/tools.mjs';
import type { Taken } from '../../address-plan/address-map.js';
import type { CheckOptions, Prerequisite } from '../driver.js';
import { takenBy } from '../../address-plan/taken-networks.js';
import { refuseTwins } from './find-hosts.js';
import { type OnWire } from './nic.js';
import type { Inventory, InventoryMachine } from './file/inventory-file.js';
import { type HostAddress, placeOf } from './file/machine.js';
import { lookAtNic, type Nic } from './nic.js';
import { compareCables, lookAtPorts } from './external-bridge.js';
import { reach, type ReachedHost } from './reach/reach.js';
import { idsOf, refusals, type Room, roomFor } from './room.js';

/** Checks each host of an inventory. */
export async function checkInventory(
  inventory: Inventory,
  { probe = false }: CheckOptions = {},
): Promise<Prerequisite[]> {
  const { file, machines, bridge, switch: known, addresses } = inventory;
  const program = findProgram('ssh');
  const ssh: Prerequisite = {
    what: 'ssh',
    found: program !== undefined,
    detail: program ?? 'is the way to the hosts',
    next: installCommand(['ssh']) ?? 'install an OpenSSH client',
  };
  const about: Prerequisite[] = [
    { what: 'inventory', found: true, detail: file },
    { what: 'switch', found: true, detail: describe(known) },
  ];
  const allowed = addresses?.join(', ') ?? 'those of the articles';
  if (!ssh.found) return [ssh, ...about, { what: 'addresses', found: true, detail: allowed }];
  const open: ReachedHost[] = [];
  try {
    const own = await Promise.all(Object.entries(machines).map(([name, machine]) => checkMachine(name, machine, open)));
    const far = bridge && (await checkHost(bridge, open));
    const reached = own.filter((each) => each.host !== undefined);
    const taken = (await Promise.all(reached.map(({ host }) => takenOn(host)))).flat();
    return [
      ssh,
      ...about,
      ...own.flatMap(({ findings }) => findings),
      ...(far?.findings ?? []),
      ...(await checkTogether(open)),
      ...(await checkBridge(inventory, far?.host, own)),
      ...checkRoom(allowed, roomFor(addresses, taken)),
      ...(probe ? await checkAddresses(own, roomFor(addresses, taken)) : []),
    ];
  } finally {
    await Promise.all(open.map((host) => host.close()));
  }
}

/** A checked host, and its findings. */
interface Asked {
  name: string;
  host?: ReachedHost;
  nic?: Nic;
  findings: Prerequisite[];
}

/** A network namespace of the lab on the host, for tests of its kernel. */
const trial = 'trial';

/** Reaches a host, and describes it. */
async function checkHost(address: HostAddress, open: ReachedHost[]): Promise<Asked> {
  const { name } = address;
  try {
    const host = await reach(address, { keys: { host: newKeyPair(), user: newKeyPair() }, namespaces: [trial] });
    open.push(host);
    const detail = `${placeOf(address)}: ${await describeHost(host)}`;
    return { name, host, findings: [{ what: name, found: true, detail }] };
  } catch (error) {
    return { name, findings: [missing(name, error)] };
  }
}

/** The same for a host on the wire, with its NIC, its kernel's VLAN support and its clock. */
async function checkMachine(name: string, { address, nic }: InventoryMachine, open: ReachedHost[]): Promise<Asked> {
  const asked = await checkHost(address, open);
  const { host, findings } = asked;
  if (!host) return { ...asked, name };
  const more = [
    { what: `${name} VLANs`, found: true, detail: await describeVlans(host) },
    { what: `${name} clock`, found: true, detail: await describeClock(host) },
  ];
  try {
    const card = await lookAtNic(host, nic);
    const found = { what: `${name} ${nic}`, found: true, detail: describeNic(card) };
    return { name, host, nic: card, findings: [...findings, found, ...more] };
  } catch (error) {
    return { name, host, findings: [...findings, missing(`${name} ${nic}`, error), ...more] };
  }
}

/** Checks that no two of them are the same host. */
async function checkTogether(hosts: readonly ReachedHost[]): Promise<Prerequisite[]> {
  return refuseTwins(hosts).then(
    () => [],
    (error: unknown) => [missing('hosts', error)],
  );
}

/** Checks that a bridge that macvlab may configure has the named ports, and that the hosts' NICs are attached to them. */
async function checkBridge(
  { switch: { driver } }: Inventory,
  host: ReachedHost | undefined,
  asked: readonly Asked[],
): Promise<Prerequisite[]> {
  if (!host || !driver || !('bridge' in driver)) return [];
  const what = `switch ${driver.bridge.device}`;
  try {
    await lookAtPorts(host, driver.bridge);
    const unknown = await compareCables(host, driver.bridge, cardsOf(asked));
    const learned = unknown.length === 0 ? '' : `; where the cards of ${unknown.join(' and ')} are, it has not learned`;
    return [{ what, found: true, detail: `has the ports that are named, and the hosts’ cards behind them${learned}` }];
  } catch (error) {
    return [missing(what, error)];
  }
}

function cardsOf(asked: readonly Asked[]): Record<string, OnWire> {
  return Object.fromEntries(asked.flatMap(({ name, host, nic }) => (host && nic ? [[name, { host, nic }]] : [])));
}

/** Reports the experiments that the addresses have room for; `found` is false if there are none. */
function checkRoom(allowed: string, rooms: readonly Room[]): Prerequisite[] {
  const possible = rooms.filter(({ why }) => why === undefined);
  const refused = refusals(rooms);
  const next =
    'give a range that no host and nobody on the wire uses: `addresses` in the inventory; a /26 has room for all of IPv4';
  if (possible.length === 0)
    return [
      { what: 'addresses', found: false, detail: [`no experiment can run in ${allowed}`, ...refused].join('; '), next },
    ];
  const moved = Object.entries(possible[0]?.places ?? {}).some(([article, real]) => article !== real);
  const detail = moved ? `${allowed}, in the place of the articles’ networks` : allowed;
  return [
    { what: 'addresses', found: true, detail },
    { what: 'experiments', found: true, detail: [`room for ${idsOf(possible)}`, ...refused].join('; ') },
  ];
}

/** Sends ARP probes for each IPv4 address that experiments may get (RFC 5227). */
async function checkAddresses(asked: readonly Asked[], rooms: readonly Room[]): Promise<Prerequisite[]> {
  const places = rooms.filter(({ why }) => why === undefined).flatMap(({ places: each }) => Object.values(each));
  const wanted = [...new Set(places)].filter((each) => !each.includes('/') && !each.includes(':'));
  const [from] = Object.values(cardsOf(asked));
  if (!from) return [];
  const { host, nic } = from;
  const stack = new NetworkStack(host.name, host.session, new CommandLog());
  const answers = await Promise.all(
    wanted.map(async (address) => {
      const { macs } = await arping(stack, address, { device: nic.name, probe: true, count: 2, deadline: 2 });
      return macs.length === 0 ? [] : [`${macs.join(' and ')} has ${address}`];
    }),
  );
  const had = answers.flat();
  const next = 'take those addresses out of `addresses` in the inventory, or that machine off this wire';
  if (had.length > 0) return [{ what: 'probed', found: false, detail: had.join('; '), next }];
  return [
    {
      what: 'probed',
      found: true,
      detail: `nobody has one of ${wanted.length} addresses, as ${host.name} was answered`,
    },
  ];
}

/** Networks that a host needs itself. */
async function takenOn(host: ReachedHost | undefined): Promise<Taken[]> {
  return host ? takenBy(new NetworkStack(host.name, host.session, new CommandLog())).catch(() => []) : [];
}

function missing(what: string, error: unknown): Prerequisite {
  const { next, evidence } = error instanceof MacvlabError ? error : {};
  return {
    what,
    found: false,
    refused: true,
    detail: messageOf(error),
    ...(evidence !== undefined && { evidence }),
    ...(next !== undefined && { next }),
  };
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

/** Creates a VLAN interface on a veth in the lab's own namespace; it does not touch the host's NICs. */
async function describeVlans({ session }: ReachedHost): Promise<string> {
  const inside = `ip -n ${trial} link add`;
  const script = [
    `${inside} name v0 type veth peer name v1 || exit 9`,
    `exec ${inside} link v0 name v0.10 type vlan id 10`,
  ].join('\n');
  const { status, stderr } = await session.run(['sh', '-c', script]);
  const words = stderr.trim().split('\n').at(-1) ?? '';
  if (status === 0) return 'the kernel has 802.1Q sub-interfaces';
  if (status === 9) return `cannot be tried: the kernel makes no veth (${words})`;
  return `the kernel has no 802.1Q sub-interfaces (8021q: ${words}): experiments with VLANs are skipped`;
}

/** "0.1200 s ahead of this machine’s, ± 0.3 ms; kept by a time service" */
async function describeClock({ session }: ReachedHost): Promise<string> {
  const { ahead, error } = await measureClock(session);
  const { stdout } = await session.run(['sh', '-c', 'timedatectl show -p NTPSynchronized --value 2>/dev/null']);
  const kept = { yes: 'kept by a time service', no: 'kept by no time service' }[stdout.trim()];
  const way = ahead < 0 ? 'behind' : 'ahead of';
  const off = `${(Math.abs(ahead) / 1e6).toFixed(4)} s ${way} this machine’s, ± ${(error / 1000).toFixed(1)} ms`;
  return [off, kept].filter(Boolean).join('; ');
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
