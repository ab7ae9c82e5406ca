/** A running lab: its nodes and switch, its captures, and the exchanges that were run in it. */
import { MacvlabError } from '../core/error.js';
import { groupBy } from '../core/group.js';
import type { EngineKind } from '../engine/networking.js';
import { flushNeighbours } from '../link/neighbour.js';
import type { Route } from '../link/route.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import { CapturePoint } from '../wire/capture-point.js';
import { ContainerEngines } from './container/container-engines.js';
import type { ContainerHost } from './container/container-host.js';
import { DeclaredSwitch } from './switch/declared-switch.js';
import type { NewDetached } from '../machine/detached/detached-labs.js';
import type { Detachable, LabDriver, Machines } from '../machine/driver.js';
import { Exchange, type ExchangeOptions } from '../exchange/exchange.js';
import { LinkPeerPort, type Port } from '../exchange/link-peer-port.js';
import { Ledger } from '../exchange/ledger.js';
import type { ExchangeNetwork } from '../exchange/network.js';
import { MissingPrerequisite } from '../core/missing-prerequisite.js';
import { LinuxBridge, ExternalBridge } from './switch/linux-bridge.js';
import { networkOf } from '../core/cidr.js';
import { Listening } from './listening.js';
import { Node } from './node.js';
import { Scopes } from './scopes.js';
import { sessionOverTheWire } from './wire-session.js';
import type { Station } from '../exchange/station.js';
import { Switch } from './switch/switch.js';
import { ExternalHostPolicy } from './external/external-host-policy.js';
import { everythingAllowed, type HostSafetyPolicy } from './external/host-safety-policy.js';
import { type NodeName, type Topology, topology, uplinkOf, variantOf } from '../machine/topology.js';
import { type WiringResult, wire } from './wiring.js';

/** Addresses and routes of an article's network. */
export type AddressPlan = Partial<
  Record<
    Exclude<NodeName, 'switch'>,
    { addresses?: readonly string[]; behind?: readonly string[]; routes?: readonly Route[] }
  >
>;

export class Lab implements ExchangeNetwork {
  readonly driver: string;
  /** Kernel release of the machine that holds the nodes. */
  readonly kernel: string;
  readonly machines: Machines;
  readonly log: CommandLog;
  readonly scopes: Scopes;
  readonly node1: Node;
  readonly node2: Node;
  readonly switch: Switch;
  /** The changes that are allowed on its hosts and on their network. */
  readonly policy: HostSafetyPolicy;
  readonly #router: Node | undefined;
  readonly #client: Node | undefined;
  readonly #engines: ContainerEngines;

  readonly listening: Listening;
  readonly ledger = new Ledger();
  /** The number of commands that wired the lab and started its captures. Later commands belong to a suite or an experiment. */
  wiredAt = 0;

  private constructor(driver: string, kernel: string, machines: Machines, log: CommandLog, network: Topology) {
    this.driver = driver;
    this.kernel = kernel;
    this.machines = machines;
    this.log = log;
    this.scopes = new Scopes();
    this.#engines = new ContainerEngines(machines.external ? undefined : machines.engines);
    const sessions = [machines.machine, ...Object.values(machines.nodes)];
    this.death = AbortSignal.any(sessions.map(({ death }) => death));
    const { external } = machines;
    const uplinks = external ? machines.uplinks : {};
    const variant = variantOf(network, (name) => name === 'switch' || machines.nodes[name] !== undefined, uplinks);
    const wires = new Map<NodeName, CapturePoint>(
      variant.nodes.filter((name) => name !== 'switch').map((name) => [name, this.#wireOf(name, variant)] as const),
    );
    const own = (external?.own ?? []).flatMap((name) => wires.get(name) ?? []);
    this.policy = external ? new ExternalHostPolicy(external, own) : everythingAllowed;
    for (const session of Object.values(machines.nodes)) session.translation = this.policy.map;
    this.switch = this.#switchOf(variant, wires);
    const node = (name: NodeName) => {
      const wire = wires.get(name);
      return wire && new Node(wire, this.scopes, this.policy, this.switch.ports.get(name));
    };
    const [node1, node2] = [node('node1'), node('node2')];
    if (!node1 || !node2) throw new TypeError('a lab has at least node1 and node2');
    [this.node1, this.node2, this.#router, this.#client] = [node1, node2, node('router'), node('client')];
    this.listening = new Listening(this.nodes, this.switch);
  }

  /** @throws MissingPrerequisite where there is none */
  get router(): Node {
    if (this.#router) return this.#router;
    throw new MissingPrerequisite('machine', 'needs a router, for which the inventory names no third machine');
  }

  /** The node on the other side of the router. @throws MissingPrerequisite where there is none */
  get client(): Node {
    if (this.#client) return this.#client;
    throw new MissingPrerequisite(
      'machine',
      'needs a client behind a router, for which the inventory names no third machine',
    );
  }

  /**
   * Builds a lab: the driver provides machines, and the lab connects them. Captures start later (`Listening.start`).
   * @throws MacvlabError when the driver cannot provide the machines, or they cannot be connected. Everything is removed then
   */
  static async open(driver: LabDriver): Promise<Lab> {
    const log = new CommandLog();
    let wired: WiringResult | undefined;
    const network = driver.topology ?? topology;
    const machines = await driver.open(network, async (hosts) => {
      wired = await wire(hosts, network, log);
    });
    try {
      return await Lab.#onMachines(driver.name, machines, log, network, wired);
    } catch (error) {
      await machines.close();
      throw error;
    }
  }

  /** A lab on machines that are connected already: a detached lab. */
  static async attach(driver: string, machines: Machines): Promise<Lab> {
    return Lab.#onMachines(driver, machines, new CommandLog());
  }

  static async #onMachines(
    driver: string,
    machines: Machines,
    log: CommandLog,
    network: Topology = topology,
    wired?: WiringResult,
  ): Promise<Lab> {
    const kernel = wired?.kernel ?? (await machines.machine.run(['uname', '-r'])).stdout.trim();
    const lab = new Lab(driver, kernel, machines, log, network);
    try {
      await Promise.all(lab.nodes.map((node) => node.learnMac(wired?.macs.get(node.name as NodeName))));
      await lab.policy.look();
      await lab.switch.prepare();
      return lab;
    } catch (error) {
      await lab.#undoAll().catch(() => undefined);
      throw error;
    }
  }

  /** A deadline in milliseconds for an action in this lab; see {@link Session.timeout}. */
  timeout(milliseconds: number): number {
    return this.machines.machine.timeout(milliseconds);
  }

  get movedAddresses(): readonly (readonly [string, string])[] {
    return Object.entries(this.policy.map?.entries() ?? {});
  }

  get roundTrip(): number {
    return this.machines.roundTrip;
  }

  get lateness(): number | undefined {
    return this.machines.external && this.machines.lateness;
  }

  get witnesses(): readonly Station[] {
    return [this.#router, this.node2, this.node1].filter((node) => node !== undefined);
  }

  /** All nodes of this lab except the switch. */
  get nodes(): readonly Node[] {
    return [this.node1, this.node2, this.#router, this.#client].filter((node) => node !== undefined);
  }

  /** All endpoints that exist now, on any node. */
  get endpoints() {
    return this.nodes.flatMap((node) => node.endpoints);
  }

  /** Gives the nodes an article's addresses, until the end of the current scope. */
  async configure(plan: AddressPlan): Promise<void> {
    const { nodes } = this;
    const planned = nodes.flatMap(({ name }) => plan[name as Exclude<NodeName, 'switch'>] ?? []);
    const release = await this.policy.claim(
      planned.flatMap(({ addresses = [], behind = [] }) => [...addresses, ...behind]),
    );
    this.scopes.current.defer('addresses of the nodes are free again', release);
    await Promise.all(
      nodes.map(async (node) => {
        const { addresses, behind, routes } = plan[node.name as Exclude<NodeName, 'switch'>] ?? {};
        if (behind) await node.configure({ addresses: behind, device: 'eth2' });
        if (addresses ?? routes) await node.configure({ addresses: addresses ?? [], routes: routes ?? [] });
      }),
    );
  }

  /** Sends one echo request between two stations, with empty neighbour caches, and observes the frames of the exchange. */
  async ping(from: Station, to: Station, options: ExchangeOptions = {}): Promise<Exchange> {
    return this.ledger.during(async () => {
      const exchange = await Exchange.run(this, from, to, options);
      this.ledger.add(exchange);
      return exchange;
    });
  }

  /**
   * Sends an echo request on a path that is interrupted, and ends it as soon as the sender's kernel has tried to resolve the receiver. It sends
   * no witnesses: once the path works again, an assertion such as `not.to.have.seen` sends them.
   */
  async pingExpectingNoReply(from: Station, to: Station): Promise<Exchange> {
    return this.ledger.during(() => Exchange.runExpectingNoReply(this, from, to));
  }

  /** A session with one node, whose packets come from another node over the lab's network; until the end of the current scope. */
  async sessionOverTheWire(from: Node, to: Node): Promise<Session> {
    const { scopes, machines } = this;
    return sessionOverTheWire(from, to, { scope: scopes.current, ssh: machines.ssh });
  }

  /** Does work that floods the network, with all captures closed: they would drop frames, and slow down the measurement. */
  async unwatched<T>(work: () => Promise<T>): Promise<T> {
    return this.listening.without(work);
  }

  /** A node with its container engine, which is started if necessary. @throws MacvlabError ENGINE_MISSING */
  async containerHost(node: Node, kind: EngineKind): Promise<ContainerHost> {
    return this.#engines.on(node, kind);
  }

  /** Empties the neighbour caches of stations, so that the next packet needs ARP or neighbour discovery. */
  async forgetNeighbours(stations: readonly Station[]): Promise<void> {
    const flushes = stations.flatMap((station) => {
      const { stack, addresses } = station;
      // The other neighbour entries of a real host belong to its owner, even those of the same NIC.
      const own = station instanceof Node && this.policy.isOwn(station.name);
      return own ? [...new Set(addresses.map(networkOf))].map((network) => ({ stack, network })) : [{ stack }];
    });
    const bySession = groupBy(flushes, ({ stack }) => stack.session);
    await Promise.all([...bySession.values()].map(flushNeighbours));
  }

  /** Discards all captured frames and all exchanges so far, so that memory is bounded by one test. */
  forget(): void {
    this.listening.forget();
    this.ledger.forget();
  }

  /** Aborts when the first session is gone, with REMOTE_DEAD or with the reason why its guest ended. */
  readonly death: AbortSignal;

  /**
   * Ends the lab with everything in it.
   * @throws MacvlabError UNDO_FAILED when a change on real hosts or their switch cannot be reverted
   */
  async close(): Promise<void> {
    try {
      await this.#undoAll();
    } finally {
      await this.machines.close();
    }
  }

  /** Reverts the changes on real hosts. The lab's own machines are removed with all changes on them. */
  async #undoAll(): Promise<void> {
    if (this.machines.external) await this.scopes.close();
  }

  /** Leaves the lab running after this process ends. @throws MacvlabError LAB_OPEN when its driver cannot do that */
  async detach(): Promise<NewDetached> {
    const shared = await this.#sharedMachines();
    return { ...this.#named, holder: await shared.detach(), state: shared.state };
  }

  /**
   * Lets other processes use the lab while this process holds it.
   * @throws MacvlabError LAB_OPEN when its driver cannot do that
   */
  async share(): Promise<NewDetached> {
    const { state } = await this.#sharedMachines();
    return { ...this.#named, holder: process.pid, state };
  }

  get #named(): Pick<NewDetached, 'driver' | 'kernel'> {
    return { driver: this.driver, kernel: this.kernel };
  }

  async #sharedMachines(): Promise<Detachable> {
    const { machines } = this;
    if (machines.external || !machines.detachable) {
      throw new MacvlabError('LAB_OPEN', `a ${this.driver} lab cannot be kept`, {
        next: 'use another lab, or run without --keep',
      });
    }
    await this.#nameStations();
    return machines.detachable;
  }

  /** Writes /etc/hosts on the nodes, so that a user of a detached lab can use names: nodes, and endpoints as "node1-ns1". */
  async #nameStations(): Promise<void> {
    const lines = [...this.nodes, ...this.endpoints].flatMap(({ stack: { name }, addresses }) =>
      addresses.map((cidr) => `${cidr.replace(/\/.*/, '')} ${name.replace('/', '-')}`),
    );
    const argv = [
      'sh',
      '-c',
      'printf "%s\\n" "$@" >/etc/hosts',
      'sh',
      '127.0.0.1 localhost',
      '::1 localhost',
      ...lines,
    ];
    await Promise.all([...new Set(Object.values(this.machines.nodes))].map((session) => session.run(argv)));
  }

  /** Records that the lab is complete: see {@link wiredAt}. */
  endWiring(): void {
    this.wiredAt = this.log.mark();
  }

  /**
   * The capture point of a node's uplink. It separates the two directions if the node can have endpoints, or if the switch has no captures.
   */
  #wireOf(name: NodeName, network: Topology): CapturePoint {
    const { switch: reached } = this.machines.nodes;
    const directed = name === 'node1' || name === 'node2' || (!reached && name === 'router');
    return new CapturePoint(
      this.#stack(name),
      uplinkOf(name, network) ?? '',
      directed ? ['in', 'out'] : [],
      this.#filter,
    );
  }

  /**
   * A real NIC may also carry macvlab's SSH session: each captured frame would cause further SSH frames. So TCP is not captured. No experiment
   * asserts on TCP, and other TCP traffic on that NIC is private.
   */
  get #filter(): string | undefined {
    return this.machines.external && 'not tcp and not (vlan and tcp)';
  }

  #switchOf({ bridge, cables }: Topology, wires: ReadonlyMap<NodeName, CapturePoint>): Switch {
    const { external, nodes } = this.machines;
    const { driver } = external?.switch ?? {};
    const described = driver && 'bridge' in driver ? driver.bridge : undefined;
    const toSwitch = cables.filter(({ to }) => to.node === 'switch');
    const names = new Map(toSwitch.map(({ from, to }) => [from.node, described?.ports[from.node] ?? to.interface]));
    if (nodes.switch) {
      const stack = this.#stack('switch');
      const ports = new Map<string, Port>(
        [...names].map(([node, name]) => [node, new CapturePoint(stack, name, ['in', 'out'], this.#filter)]),
      );
      const own = [stack, described?.device ?? bridge, names, this.scopes] as const;
      const sessions = Object.values(external?.sessions ?? {});
      return new Switch(ports, external ? new ExternalBridge(...own, sessions) : new LinuxBridge(...own));
    }
    if (!external) throw new TypeError('a lab on its own machines has a switch');
    const ends = [...names.keys()].flatMap((node): [string, Port][] => {
      const near = wires.get(node);
      return near ? [[node, new LinkPeerPort(node, near)]] : [];
    });
    return new Switch(new Map(ends), new DeclaredSwitch(external.switch, this.scopes, this.log));
  }

  #stack(name: NodeName): NetworkStack {
    const session = this.machines.nodes[name];
    if (session) return new NetworkStack(name, session, this.log);
    throw new MissingPrerequisite('machine', `needs ${name}, which this lab does not have`);
  }
}
