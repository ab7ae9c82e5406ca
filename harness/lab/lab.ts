/** A running lab: its nodes and switch, its captures, and the exchanges performed in it. */
import { MacvlabError } from '../core/error.js';
import { groupBy } from '../core/group.js';
import type { EngineKind } from '../engine/networking.js';
import { flushNeighbours } from '../link/neighbour.js';
import type { Route } from '../link/route.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import type { Capture } from '../wire/capture.js';
import type { CapturePoint, View } from '../wire/capture-point.js';
import { ContainerEngines } from './container-engines.js';
import type { ContainerHost } from './container-host.js';
import type { LabDriver, Machines } from './driver.js';
import { Exchange, type ExchangeOptions } from './exchange.js';
import { Node } from './node.js';
import { Scopes } from './scopes.js';
import { sessionOverTheWire } from './wire-session.js';
import type { Station } from './station.js';
import { Switch } from './switch.js';
import { type NodeName, topology, uplinkOf } from './topology.js';
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
  readonly router: Node;
  readonly client: Node;
  readonly switch: Switch;
  readonly #engines: ContainerEngines;

  /** Exchanges performed since the list was last emptied. */
  readonly exchanges: Exchange[] = [];
  /** How many commands it took to wire the lab and to listen in it; what comes later is a suite's or a test's. */
  wiredAt = 0;

  private constructor(driver: string, kernel: string, machines: Machines, log: CommandLog) {
    this.driver = driver;
    this.kernel = kernel;
    this.machines = machines;
    this.log = log;
    this.scopes = new Scopes();
    this.#engines = new ContainerEngines(machines.engines);
    const sessions = [machines.machine, ...Object.values(machines.nodes)];
    this.death = AbortSignal.any(sessions.map(({ death }) => death));
    const ports = topology.cables.filter(({ to }) => to.node === 'switch').map(({ to }) => to.interface);
    this.switch = new Switch(this.#stack('switch'), ports, this.scopes);
    const node = (name: NodeName, directed: boolean) =>
      new Node(this.#stack(name), uplinkOf(name) ?? '', this.scopes, this.switch.ports.get(name), directed);
    this.node1 = node('node1', true);
    this.node2 = node('node2', true);
    this.router = node('router', false);
    this.client = node('client', false);
  }

  /**
   * Builds a lab and starts listening in it.
   * @throws MacvlabError when the driver cannot give its machines, or they cannot be wired; nothing is left then
   */
  static async open(driver: LabDriver): Promise<Lab> {
    const log = new CommandLog();
    let wired: Wired | undefined;
    const machines = await driver.open(topology, async (hosts) => {
      wired = await wire(hosts, topology, log);
    });
    try {
      return await Lab.#over(driver.name, machines, log, wired);
    } catch (error) {
      await machines.close();
      throw error;
    }
  }

  /** A lab over machines that are wired already: one that was kept. */
  static async attach(driver: string, machines: Machines): Promise<Lab> {
    return Lab.#over(driver, machines, new CommandLog());
  }

  static async #over(driver: string, machines: Machines, log: CommandLog, wired?: Wired): Promise<Lab> {
    const kernel = wired?.kernel ?? (await machines.machine.run(['uname', '-r'])).stdout.trim();
    const lab = new Lab(driver, kernel, machines, log);
    await Promise.all(lab.nodes.map((node) => node.learnMac(wired?.macs.get(node.name as NodeName))));
    return lab;
  }

  /** Nodes that hold addresses, by name. */
  get nodes(): readonly Node[] {
    return [this.node1, this.node2, this.router, this.client];
  }

  /** All stations there are now: nodes and endpoints with a child. */
  get endpoints() {
    return this.nodes.flatMap((node) => node.endpoints);
  }

  /** Gives the nodes an article's addresses, until the end of the current scope. */
  async configure(plan: AddressPlan): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node) => {
        const { addresses, behind, routes } = plan[node.name as Exclude<NodeName, 'switch'>] ?? {};
        if (behind) await node.configure({ addresses: behind, device: 'eth2' });
        if (addresses ?? routes) await node.configure({ addresses: addresses ?? [], routes: routes ?? [] });
      }),
    );
  }

  /** Sends one echo request between two stations from fresh neighbour state, and watches what becomes of it. */
  async ping(from: Station, to: Station, options: ExchangeOptions = {}): Promise<Exchange> {
    const exchange = await Exchange.perform(this, from, to, options);
    this.exchanges.push(exchange);
    return exchange;
  }

  /**
   * Sends an echo request that the sender's kernel cannot get rid of, and ends it as soon as that kernel has asked for the
   * receiver. Whether anything left is for witnesses to tell that are sent when the way is open again.
   */
  async pingInVain(from: Station, to: Station): Promise<Exchange> {
    return Exchange.performInVain(this, from, to);
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
    const bySession = groupBy(
      stations.map(({ stack }) => stack),
      ({ session }) => session,
    );
    await Promise.all([...bySession.values()].map(flushNeighbours));
  }

  /** Whose frames pass a view: a station at its own interface, or the station behind a switch port. */
  ownerOf(view: View): Station {
    const stations: Station[] = [...this.endpoints.filter(({ addresses }) => addresses.length > 0), ...this.nodes];
    const at = (point: CapturePoint | undefined) => point?.captures.some((capture) => view.captures.includes(capture));
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
    return [...stations.map(({ wire }) => wire), ...this.switch.ports.values()].filter((point) => point.isOpen);
  }

  get captures(): readonly Capture[] {
    return this.points.flatMap((point) => point.captures);
  }

  /** Aborts when the first session is gone, with REMOTE_DEAD, or with what its guest died of. */
  readonly death: AbortSignal;

  /** Ends the lab with everything in it. */
  async close(): Promise<void> {
    await this.machines.close();
  }

  /** Leaves the lab running when this process ends. @throws MacvlabError LAB_OPEN when its driver cannot do that */
  async keep(): Promise<{ keeper: number; state: unknown }> {
    if (this.machines.keep) return this.machines.keep();
    throw new MacvlabError('LAB_OPEN', `a ${this.driver} lab cannot be kept`, {
      next: 'use another lab, or run without --keep',
    });
  }

  /** Marks in the log where the lab is complete. */
  endWiring(): void {
    this.wiredAt = this.log.mark();
  }

  /** Starts listening on every uplink and switch port. @throws MacvlabError CAPTURE_START */
  async listen(): Promise<void> {
    await Promise.all(
      [...this.nodes.map((node) => node.wire), ...this.switch.ports.values()].map((point) => point.open()),
    );
  }

  #stack(name: NodeName): NetworkStack {
    return new NetworkStack(name, this.machines.nodes[name], this.log);
  }
}
