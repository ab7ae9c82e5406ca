/** A running lab: its nodes and switch, its captures, and the exchanges performed in it. */
import { MacvlabError } from '../core/error.js';
import { groupBy } from '../core/group.js';
import type { EngineKind } from '../engine/networking.js';
import { flushNeighbours } from '../link/neighbour.js';
import type { Route } from '../link/route.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import { type Capture, nextOrder } from '../wire/capture.js';
import { CapturePoint, type View } from '../wire/capture-point.js';
import { ContainerEngines } from './container-engines.js';
import type { ContainerHost } from './container-host.js';
import { DescribedSwitch } from './described-switch.js';
import type { LabDriver, Machines } from './driver.js';
import { Exchange, type ExchangeOptions } from './exchange.js';
import { FarEnd, type Port } from './far-end.js';
import { Lacking } from './lacking.js';
import { LinuxBridge, OthersBridge } from './linux-bridge.js';
import { networkOf } from './network.js';
import { Node } from './node.js';
import { Scopes } from './scopes.js';
import { sessionOverTheWire } from './wire-session.js';
import type { Station } from './station.js';
import { Switch } from './switch.js';
import { Tenancy } from './tenancy.js';
import { type NodeName, type Topology, topology, uplinkOf, variantOf } from './topology.js';
import { type Wired, wire } from './wiring.js';

/** Addresses and routes of an article's network. */
export type AddressPlan = Partial<
  Record<
    Exclude<NodeName, 'switch'>,
    { addresses?: readonly string[]; behind?: readonly string[]; routes?: readonly Route[] }
  >
>;

export class Lab {
  readonly driver: string;
  /** Kernel release of the machine that holds the nodes. */
  readonly kernel: string;
  readonly machines: Machines;
  readonly log: CommandLog;
  readonly scopes: Scopes;
  readonly node1: Node;
  readonly node2: Node;
  readonly switch: Switch;
  /** Present where hosts and wire are somebody else's. */
  readonly tenancy: Tenancy | undefined;
  readonly #router: Node | undefined;
  readonly #client: Node | undefined;
  readonly #engines: ContainerEngines;

  /** Exchanges performed since the list was last emptied. */
  readonly exchanges: Exchange[] = [];
  /** How many pings have begun, and not ended. */
  pingsUnderWay = 0;
  /** The order that the first frame has which is still known: all before it were forgotten. */
  forgottenBefore = 0;
  /** How many commands it took to wire the lab and to listen in it; what comes later is a suite's or a test's. */
  wiredAt = 0;

  private constructor(driver: string, kernel: string, machines: Machines, log: CommandLog, network: Topology) {
    this.driver = driver;
    this.kernel = kernel;
    this.machines = machines;
    this.log = log;
    this.scopes = new Scopes();
    this.#engines = new ContainerEngines(machines.engines);
    const sessions = [machines.machine, ...Object.values(machines.nodes)];
    this.death = AbortSignal.any(sessions.map(({ death }) => death));
    const { premises, uplinks = {} } = machines;
    const variant = variantOf(network, (name) => name === 'switch' || machines.nodes[name] !== undefined, uplinks);
    const wires = new Map<NodeName, CapturePoint>(
      variant.nodes.filter((name) => name !== 'switch').map((name) => [name, this.#wireOf(name, variant)] as const),
    );
    const own = (premises?.own ?? []).flatMap((name) => wires.get(name) ?? []);
    this.tenancy = premises && new Tenancy(premises, own);
    for (const session of Object.values(machines.nodes)) session.translation = this.tenancy?.map;
    this.switch = this.#switchOf(variant, wires);
    const node = (name: NodeName) => {
      const wire = wires.get(name);
      return wire && new Node(wire, this.scopes, { port: this.switch.ports.get(name), tenancy: this.tenancy });
    };
    const [node1, node2] = [node('node1'), node('node2')];
    if (!node1 || !node2) throw new TypeError('a lab has at least node1 and node2');
    [this.node1, this.node2, this.#router, this.#client] = [node1, node2, node('router'), node('client')];
  }

  /** @throws Lacking where there is none */
  get router(): Node {
    if (this.#router) return this.#router;
    throw new Lacking('machine', 'needs a router, for which the inventory names no third machine');
  }

  /** Who is behind the router. @throws Lacking where there is none */
  get client(): Node {
    if (this.#client) return this.#client;
    throw new Lacking('machine', 'needs a client behind a router, for which the inventory names no third machine');
  }

  /**
   * Builds a lab and starts listening in it.
   * @throws MacvlabError when the driver cannot give its machines, or they cannot be wired; nothing is left then
   */
  static async open(driver: LabDriver): Promise<Lab> {
    const log = new CommandLog();
    let wired: Wired | undefined;
    const network = driver.topology ?? topology;
    const machines = await driver.open(network, async (hosts) => {
      wired = await wire(hosts, network, log);
    });
    try {
      return await Lab.#over(driver.name, machines, log, network, wired);
    } catch (error) {
      await machines.close();
      throw error;
    }
  }

  /** A lab over machines that are wired already: one that was kept. */
  static async attach(driver: string, machines: Machines): Promise<Lab> {
    return Lab.#over(driver, machines, new CommandLog());
  }

  static async #over(
    driver: string,
    machines: Machines,
    log: CommandLog,
    network: Topology = topology,
    wired?: Wired,
  ): Promise<Lab> {
    const kernel = wired?.kernel ?? (await machines.machine.run(['uname', '-r'])).stdout.trim();
    const lab = new Lab(driver, kernel, machines, log, network);
    try {
      await Promise.all(lab.nodes.map((node) => node.learnMac(wired?.macs.get(node.name as NodeName))));
      await lab.tenancy?.look();
      await lab.switch.prepare();
      return lab;
    } catch (error) {
      await lab.#undoAll().catch(() => undefined);
      throw error;
    }
  }

  /** The deadline in milliseconds for what happens in this lab; see {@link Session.patience}. */
  patience(milliseconds: number): number {
    return this.machines.machine.patience(milliseconds);
  }

  /** Nodes that hold addresses, as many as there are. */
  get nodes(): readonly Node[] {
    return [this.node1, this.node2, this.#router, this.#client].filter((node) => node !== undefined);
  }

  /** All stations there are now: nodes and endpoints with a child. */
  get endpoints() {
    return this.nodes.flatMap((node) => node.endpoints);
  }

  /** Gives the nodes an article's addresses, until the end of the current scope. */
  async configure(plan: AddressPlan): Promise<void> {
    const { nodes } = this;
    const planned = nodes.flatMap(({ name }) => plan[name as Exclude<NodeName, 'switch'>] ?? []);
    const release = await this.tenancy?.claim(
      planned.flatMap(({ addresses = [], behind = [] }) => [...addresses, ...behind]),
    );
    if (release) this.scopes.current.defer('addresses of the nodes are free again', release);
    await Promise.all(
      nodes.map(async (node) => {
        const { addresses, behind, routes } = plan[node.name as Exclude<NodeName, 'switch'>] ?? {};
        if (behind) await node.configure({ addresses: behind, device: 'eth2' });
        if (addresses ?? routes) await node.configure({ addresses: addresses ?? [], routes: routes ?? [] });
      }),
    );
  }

  /** Sends one echo request between two stations from fresh neighbour state, and watches what becomes of it. */
  async ping(from: Station, to: Station, options: ExchangeOptions = {}): Promise<Exchange> {
    return this.#underWay(async () => {
      const exchange = await Exchange.perform(this, from, to, options);
      this.exchanges.push(exchange);
      return exchange;
    });
  }

  /**
   * Sends an echo request that the sender's kernel cannot get rid of, and ends it as soon as that kernel has asked for the
   * receiver. Whether anything left is for witnesses to tell that are sent when the way is open again.
   */
  async pingInVain(from: Station, to: Station): Promise<Exchange> {
    return this.#underWay(() => Exchange.performInVain(this, from, to));
  }

  async #underWay<T>(ping: () => Promise<T>): Promise<T> {
    this.pingsUnderWay++;
    try {
      return await ping();
    } finally {
      this.pingsUnderWay--;
    }
  }

  /** A session with one node whose packets go over the lab's wire from another, until the end of the current scope. */
  async sessionOverTheWire(from: Node, to: Node): Promise<Session> {
    return sessionOverTheWire(this, from, to);
  }

  /** Does work that floods the wire, with nobody listening: captures would drop frames, and slow down what is measured. */
  async unwatched<T>(work: () => Promise<T>): Promise<T> {
    const { points } = this;
    for (const point of points) point.close();
    try {
      return await work();
    } finally {
      await Promise.all(points.map((point) => point.open()));
    }
  }

  /** A node with its container engine, which is started if need be. @throws MacvlabError ENGINE_MISSING */
  async containerHost(node: Node, kind: EngineKind): Promise<ContainerHost> {
    return this.#engines.on(node, kind);
  }

  /** Makes stations forget the neighbours they have learned, so that the next frame has to ask again. */
  async forgetNeighbours(stations: readonly Station[]): Promise<void> {
    const flushes = stations.flatMap((station) => {
      const { stack, addresses } = station;
      // What a host knows of others, be it on the same card, is its own.
      const own = station instanceof Node && this.tenancy?.isOwn(station.name);
      return own ? [...new Set(addresses.map(networkOf))].map((network) => ({ stack, network })) : [{ stack }];
    });
    const bySession = groupBy(flushes, ({ stack }) => stack.session);
    await Promise.all([...bySession.values()].map(flushNeighbours));
  }

  /** Lets go of all that captures have seen and of the exchanges performed so far, so that memory stays bounded by one test. */
  forget(): void {
    for (const capture of this.captures) capture.forget();
    this.exchanges.length = 0;
    this.forgottenBefore = nextOrder();
  }

  /** Whose frames pass a view: a station at its own interface, or the station behind a switch port. */
  ownerOf(view: View): Station {
    const stations: Station[] = [...this.endpoints.filter(({ addresses }) => addresses.length > 0), ...this.nodes];
    const at = (point: View | undefined) => point?.captures.some((capture) => view.captures.includes(capture));
    const owner =
      stations.find(({ wire }) => wire.isOpen && at(wire)) ??
      this.nodes.find(({ port, addresses }) => addresses.length > 0 && at(port)) ??
      stations.find(({ port, addresses }) => addresses.length > 0 && at(port));
    if (owner) return owner;
    throw new TypeError(`nobody with an address sends frames past ${view.label}`);
  }

  /** Every capture point that listens now. */
  get points(): readonly CapturePoint[] {
    const stations: Station[] = [...this.nodes, ...this.endpoints.filter((endpoint) => endpoint.addresses.length > 0)];
    return [...stations.map(({ wire }) => wire), ...this.switch.points].filter((point) => point.isOpen);
  }

  get captures(): readonly Capture[] {
    return this.points.flatMap((point) => point.captures);
  }

  /** Aborts when the first session is gone, with REMOTE_DEAD, or with what its guest died of. */
  readonly death: AbortSignal;

  /**
   * Ends the lab with everything in it.
   * @throws MacvlabError UNDO_FAILED where something was made on somebody else's hosts or switch that could not be taken away again
   */
  async close(): Promise<void> {
    try {
      await this.#undoAll();
    } finally {
      await this.machines.close();
    }
  }

  /** What a lab has made on machines of its own goes with these. */
  async #undoAll(): Promise<void> {
    if (this.tenancy) await this.scopes.close();
  }

  /** Leaves the lab running when this process ends. @throws MacvlabError LAB_OPEN when its driver cannot do that */
  async keep(): Promise<{ keeper: number; state: unknown }> {
    if (this.machines.keep) {
      await this.#nameStations();
      return this.machines.keep();
    }
    throw new MacvlabError('LAB_OPEN', `a ${this.driver} lab cannot be kept`, {
      next: 'use another lab, or run without --keep',
    });
  }

  /** Lets those who work in a kept lab by hand call nodes, and endpoints as "node1-ns1", by their names. */
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

  /** Marks in the log where the lab is complete. */
  endWiring(): void {
    this.wiredAt = this.log.mark();
  }

  /** Starts listening on every uplink and switch port. @throws MacvlabError CAPTURE_START */
  async listen(): Promise<void> {
    await Promise.all([...this.nodes.map((node) => node.wire), ...this.switch.points].map((point) => point.open()));
  }

  /** A node's uplink; those of nodes with endpoints, or behind whose ports nobody listens, are captured by direction. */
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
   * Somebody's card may carry the session over which its frames are told: each of them would bring about more. Nothing that an
   * experiment asks about is TCP, which is somebody's own besides.
   */
  get #filter(): string | undefined {
    return this.machines.premises && 'not tcp and not (vlan and tcp)';
  }

  #switchOf({ bridge, cables }: Topology, wires: ReadonlyMap<NodeName, CapturePoint>): Switch {
    const { premises, nodes } = this.machines;
    const { driver } = premises?.switch ?? {};
    const described = driver && 'bridge' in driver ? driver.bridge : undefined;
    const toSwitch = cables.filter(({ to }) => to.node === 'switch');
    const names = new Map(toSwitch.map(({ from, to }) => [from.node, described?.ports[from.node] ?? to.interface]));
    if (nodes.switch) {
      const stack = this.#stack('switch');
      const ports = new Map<string, Port>(
        [...names].map(([node, name]) => [node, new CapturePoint(stack, name, ['in', 'out'], this.#filter)]),
      );
      const own = [stack, described?.device ?? bridge, names, this.scopes] as const;
      const sessions = Object.values(premises?.sessions ?? {});
      return new Switch(ports, premises ? new OthersBridge(...own, sessions) : new LinuxBridge(...own));
    }
    if (!premises) throw new TypeError('a lab on its own machines has a switch');
    const ends = [...names.keys()].flatMap((node): [string, Port][] => {
      const near = wires.get(node);
      return near ? [[node, new FarEnd(node, near)]] : [];
    });
    return new Switch(new Map(ends), new DescribedSwitch(premises.switch, this.scopes, this.log));
  }

  #stack(name: NodeName): NetworkStack {
    const session = this.machines.nodes[name];
    if (session) return new NetworkStack(name, session, this.log);
    throw new Lacking('machine', `needs ${name}, which this lab does not have`);
  }
}
