/** A node with a container engine. The containers in its macvlan networks are endpoints. */
import { poll } from '../../core/wait.js';
import type { ContainerNetworking, EngineKind, NetworkPlan } from '../../engine/networking.js';
import { addAddress, addressesOf } from '../../link/address.js';
import { setUp } from '../../link/device.js';
import { type LinkInfo, macvlanMode, readLink } from '../../link/link-info.js';
import { addMacvlan, type MacvlanMode, type MacvlanOptions } from '../../link/macvlan.js';
import { addRoute } from '../../link/route.js';
import type { Endpoint } from '../endpoint.js';
import { isWithin, networkOf } from '../../core/cidr.js';
import type { Node } from '../node.js';

/** The properties of a network. Its parent is the node's uplink, unless another device is named. */
export type NetworkOptions = Omit<NetworkPlan, 'name' | 'parent'> & Partial<Pick<NetworkPlan, 'name' | 'parent'>>;

/** The interface that an engine gives a container. All engines use this name for the first one. */
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
   * Makes the engine create a macvlan network, until the end of the current scope.
   * @throws EngineRefusal with the engine's message; nothing is left to undo then
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
      // A refused network does not exist. An existing one of that name belongs to another user.
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

  /** @param forget called after its removal, so that no other code removes it again */
  constructor(name: string, node: Node, engine: ContainerNetworking, gateways: readonly string[], forget: () => void) {
    this.name = name;
    this.#node = node;
    this.#engine = engine;
    this.#gateways = gateways;
    this.#forget = forget;
  }

  /**
   * Makes the engine start a container in the network, and captures on its interface, until the end of the current
   * scope.
   * @param addresses without prefix length; the engine chooses them if there are none
   * @throws EngineRefusal with the engine's message
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

  /** For a reproduction: the command that would create such a child in the container's namespace. */
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

  /** Makes the engine check whether a container's network is unchanged. @throws EngineRefusal */
  async check(container: Endpoint): Promise<void> {
    if (!this.#engine.check) throw new TypeError(`${this.#engine.kind} cannot check a container’s network`);
    await this.#engine.check(container.name);
  }

  /** Makes the engine remove the network. @throws EngineRefusal */
  async remove(): Promise<void> {
    await this.#engine.removeNetwork(this.name);
    this.#forget();
  }

  /** Waits until the kernel has finished duplicate address detection (RFC 4862, 5.4) for the addresses from the engine. */
  async #settle(endpoint: Endpoint): Promise<void> {
    const settled = async () => {
      const link = await readLink(endpoint.stack, device);
      const own = link.addr_info?.filter(({ scope }) => scope !== 'link');
      return own?.some(({ tentative }) => tentative === true) ? undefined : link;
    };
    const link = await poll(settled, {
      what: `the addresses of ${endpoint.name} to be usable`,
      deadline: endpoint.stack.timeout(20_000),
    });
    const parent = (await this.#node.links()).find(({ ifindex }) => ifindex === link.link_index);
    this.#noteLikeness(endpoint, link, parent?.ifname);
    await endpoint.adopt(device, addressesOf(link), parent?.ifname);
  }
}
