/** An endpoint: a network namespace on a node that holds a macvlan child (the articles' "container"). */
import type { Scope } from '../core/scope.js';
import { addAddress } from '../link/address.js';
import { apply, type Change, type ChangeRecord, settled } from '../link/change.js';
import { setPromiscuous, setUp } from '../link/device.js';
import { type LinkInfo, macvlanMode, readLink } from '../link/link-info.js';
import { addMacvlan, type MacvlanMode, type MacvlanOptions } from '../link/macvlan.js';
import { addRoute, type Route } from '../link/route.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { CapturePoint } from '../wire/capture-point.js';
import type { Port } from '../exchange/link-peer-port.js';
import type { Scopes } from './scopes.js';
import type { Station } from '../exchange/station.js';

export interface AttachOptions extends Pick<MacvlanOptions, 'mac' | 'flags' | 'sources'> {
  /** The kernel chooses if there is none. */
  mode?: MacvlanMode;
  /** CIDR; one or more. */
  address: string | readonly string[];
  /** The child's name in the namespace; default "eth0". */
  device?: string;
  /** The child's parent; default the node's uplink. */
  parent?: string;
  promiscuous?: boolean;
  routes?: readonly Route[];
}

/** What an endpoint needs from its node. */
export interface EndpointHost extends Station {
  readonly scopes: Scopes;
  /** Makes sure that addresses may be used here until the end of a scope. @throws MissingPrerequisite; MacvlabError HOST_ADDRESSES */
  claim(addresses: readonly string[], scope: Scope, device?: string): Promise<void>;
  /** A MAC address for a child on this node; undefined where the kernel chooses. @throws MissingPrerequisite where no child is allowed */
  childMac(mode: MacvlanMode | undefined): string | undefined;
}

export class Endpoint implements Station {
  readonly name: string;
  readonly node: EndpointHost;
  readonly stack: NetworkStack;
  #device = 'eth0';
  #parent: string | undefined;
  #link: LinkInfo | undefined;
  #addresses: string[] = [];
  #wire: CapturePoint | undefined;

  readonly #ownScope: Scope;
  readonly #madeIn: Scope;

  /**
   * @param ownScope the branch that removes its namespace
   * @param madeIn the scope that was current when it was created
   */
  constructor(name: string, node: EndpointHost, stack: NetworkStack, ownScope: Scope, madeIn: Scope) {
    this.name = name;
    this.node = node;
    this.stack = stack;
    this.#ownScope = ownScope;
    this.#madeIn = madeIn;
  }

  get host(): string {
    return this.node.host;
  }

  get port(): Port | undefined {
    return this.node.port;
  }

  get device(): string {
    return this.#device;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get mac(): string {
    return this.#link?.address ?? '';
  }

  /** The child's mode, as the kernel shows it. */
  get mode(): string | undefined {
    return macvlanMode(this.#link);
  }

  /** The child's parent. */
  get parent(): string | undefined {
    return this.#parent;
  }

  get wire(): CapturePoint {
    if (!this.#wire) throw new TypeError(`${this.name} has no macvlan child yet`);
    return this.#wire;
  }

  /**
   * Adds a macvlan child, gives it its addresses, sets it up and captures on it, until the end of the current scope.
   * @throws LinkError with the kernel's message
   */
  async attach(options: AttachOptions): Promise<void> {
    const {
      mode,
      address,
      device = 'eth0',
      parent = this.node.device,
      promiscuous = false,
      routes = [],
      ...child
    } = options;
    const addresses = typeof address === 'string' ? [address] : [...address];
    const scope = this.#scope.branch(`child of ${this.stack.name}`);
    await this.node.claim(addresses, scope, parent);
    const mac = this.node.childMac(mode);
    scope.defer(`${this.stack.name}: no child`, () => this.#detached());
    await apply(
      [
        addMacvlan(this.node.stack, { name: device, parent, mode, ...(mac && { mac }), ...child }, this.stack),
        ...addresses.map((cidr) => settled(addAddress(this.stack, device, cidr))),
        settled(setUp(this.stack, device, true)),
        ...(promiscuous ? [settled(setPromiscuous(this.stack, device, true))] : []),
        ...routes.map((route) => settled(addRoute(this.stack, route))),
      ],
      scope,
    );
    this.#parent = parent;
    await this.#listen(device, addresses, scope);
    // For a reproduction: where commands give this address to other hosts, the child must also have it there.
    if (mac === undefined && mode !== 'passthru')
      this.stack.note(['ip', 'link', 'set', 'dev', device, 'address', this.mac], 'likeness');
  }

  /** Uses an existing child in the namespace as this endpoint's child, and captures on it. @param parent the child's parent */
  async adopt(device: string, addresses: readonly string[], parent?: string): Promise<void> {
    this.#parent = parent;
    await this.#listen(device, addresses, this.#scope);
  }

  async #listen(device: string, addresses: readonly string[], scope: Scope): Promise<void> {
    this.#device = device;
    this.#addresses = [...addresses];
    const wire = new CapturePoint(this.stack, device);
    this.#wire = wire;
    scope.defer(`stop listening on ${wire.label}`, () => wire.close());
    const [link] = await Promise.all([readLink(this.stack, device), wire.open()]);
    this.#link = link;
  }

  /** Makes changes in this namespace, undone at the end of the current scope. @throws LinkError */
  async apply(...changes: Change[]): Promise<ChangeRecord[]> {
    return apply(changes, this.#scope);
  }

  /** The child as the kernel shows it. @throws LinkError */
  async link(device = this.#device): Promise<LinkInfo> {
    return readLink(this.stack, device);
  }

  #detached(): void {
    this.#link = undefined;
    this.#parent = undefined;
    this.#addresses = [];
    this.#wire = undefined;
  }

  /** The scope that undoes current changes: before the namespace is removed, if both belong to one scope of the run. */
  get #scope(): Scope {
    const { current } = this.node.scopes;
    return current === this.#madeIn ? this.#ownScope : current;
  }
}
