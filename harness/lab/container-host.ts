/** A node with a container engine: its macvlan networks, whose containers are endpoints like any other. */
import { poll } from '../core/wait.js';
import type { ContainerNetworking, EngineKind, NetworkPlan } from '../engine/networking.js';
import { addAddress, addressesOf } from '../link/address.js';
import { setUp } from '../link/device.js';
import { type LinkInfo, macvlanMode, readLink } from '../link/link-info.js';
import { addMacvlan, type MacvlanMode, type MacvlanOptions } from '../link/macvlan.js';
import { addRoute } from '../link/route.js';
import type { Endpoint } from './endpoint.js';
import { isWithin, networkOf } from './network.js';
import type { Node } from './node.js';

/** What a network is like; on the node's uplink, unless another device is named. */
export type NetworkOptions = Omit<NetworkPlan, 'name' | 'parent'> & Partial<Pick<NetworkPlan, 'name' | 'parent'>>;

/** The interface that an engine gives a container; all engines call the first one so. */
const device = 'eth0';

export class ContainerHost {
  readonly node: Node;
  readonly #engine: ContainerNetworking;

  constructor(node: Node, engine: ContainerNetworking) {
    this.node = node;
    this.#engine = engine;
  }

  get kind(): EngineKind {
    return this.#engine.kind;
  }

  /** The engine's version: "26.1.5". */
  get version(): string {
    return this.#engine.version;
  }

  /**
   * Lets the engine make a macvlan network, until the end of the current scope.
   * @throws EngineRefusal with the engine's words; nothing is left to undo then
   */
  async network({
    name = 'macvlan',
    parent = this.node.device,
    ...options
  }: NetworkOptions): Promise<ContainerNetwork> {
    let stands = true;
    this.node.scopes.current.defer(`${this.node.name}: remove network ${name}`, async () => {
      if (stands) await this.#engine.removeNetwork(name);
    });
    try {
      await this.#engine.createNetwork({ name, parent, ...options });
    } catch (error) {
      // A network that was refused is not there; one of that name that is there is another's.
      stands = false;
      throw error;
    }
    const gateways = options.subnets.flatMap(({ gateway }) => gateway ?? []);
    return new ContainerNetwork(name, this.node, this.#engine, gateways, () => (stands = false));
  }
}

export class ContainerNetwork {
  readonly name: string;
  readonly #node: Node;
  readonly #engine: ContainerNetworking;
  readonly #gateways: readonly string[];
  readonly #forget: () => void;

  /** @param forget called when it is gone, so that nobody removes it once more */
  constructor(name: string, node: Node, engine: ContainerNetworking, gateways: readonly string[], forget: () => void) {
    this.name = name;
    this.#node = node;
    this.#engine = engine;
    this.#gateways = gateways;
    this.#forget = forget;
  }

  /**
   * Lets the engine start a container in the network, and listens on its interface, until the end of the current scope.
   * @param addresses without prefix length; without any, the engine chooses
   * @throws EngineRefusal with the engine's words
   */
  async run(name: string, addresses: readonly string[] = []): Promise<Endpoint> {
    const node = this.#node;
    const scope = node.scopes.current.branch(`container ${node.name}/${name}`);
    let runs = false;
    scope.defer(`remove container ${name}`, () => (runs ? this.#engine.remove(name) : undefined));
    const { pid } = await this.#engine.start({ name, network: this.name, addresses });
    runs = true;
    const endpoint = await node.namespaceOf(name, pid, scope);
    await this.#settle(endpoint);
    return endpoint;
  }

  /** For a reproduction: what would make such a child in the container's namespace. */
  #noteLikeness({ stack }: Endpoint, link: LinkInfo, parent = 'none'): void {
    const mode = macvlanMode(link);
    const like: MacvlanOptions = { name: device, parent, mac: link.address, mode: mode as MacvlanMode | undefined };
    const { stack: node } = this.#node;
    const addresses = addressesOf(link);
    const routers = this.#gateways.filter((gateway) => addresses.some((cidr) => isWithin(gateway, networkOf(cidr))));
    for (const change of [
      addMacvlan(node, like, stack),
      ...addresses.map((cidr) => addAddress(stack, device, cidr)),
      setUp(stack, device, true),
      ...routers.map((via) => addRoute(stack, { to: 'default', via })),
    ])
      change.stack.note(change.command, 'likeness');
  }

  /** Lets the engine look whether a container's network is still as it was made. @throws EngineRefusal */
  async check(container: Endpoint): Promise<void> {
    if (!this.#engine.check) throw new TypeError(`${this.#engine.kind} cannot check a container’s network`);
    await this.#engine.check(container.name);
  }

  /** Lets the engine remove the network. @throws EngineRefusal */
  async remove(): Promise<void> {
    await this.#engine.removeNetwork(this.name);
    this.#forget();
  }

  /** Waits until the kernel has done with duplicate address detection (RFC 4862, 5.4) of those that the engine has given. */
  async #settle(endpoint: Endpoint): Promise<void> {
    const settled = async () => {
      const link = await readLink(endpoint.stack, device);
      const own = link.addr_info?.filter(({ scope }) => scope !== 'link');
      return own?.some(({ tentative }) => tentative === true) ? undefined : link;
    };
    const link = await poll(settled, {
      what: `the addresses of ${endpoint.name} to be usable`,
      deadline: endpoint.stack.patience(20_000),
    });
    const parent = (await this.#node.links()).find(({ ifindex }) => ifindex === link.link_index);
    this.#noteLikeness(endpoint, link, parent?.ifname);
    await endpoint.adopt(device, addressesOf(link), parent?.ifname);
  }
}
