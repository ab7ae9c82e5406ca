/** A node of a lab: one network stack with an uplink, on which endpoints are made. */
import type { Scope } from '../core/scope.js';
import { addAddress } from '../link/address.js';
import { apply, type Change, type ChangeRecord, settled } from '../link/change.js';
import { setPromiscuous, setUp } from '../link/device.js';
import { setForwarding } from '../link/forwarding.js';
import { LinkError } from '../link/errno.js';
import { type LinkInfo, readLink, readLinks } from '../link/link-info.js';
import { addMacvlan, type MacvlanMode, type MacvlanOptions } from '../link/macvlan.js';
import { addNamespace, nameNamespace } from '../link/namespace.js';
import { addRoute, type Route } from '../link/route.js';
import { addVlan, type VlanProtocol } from '../link/vlan.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { CommandResult, Session } from '../remote/session.js';
import type { CapturePoint } from '../wire/capture-point.js';
import { type AttachOptions, Endpoint } from './endpoint.js';
import type { Port } from './far-end.js';
import { Lacking } from './lacking.js';
import type { Scopes } from './scopes.js';
import type { Station } from './station.js';
import { takeOverAddress } from './take-over.js';
import { expectDown, prepareRestoration } from './uplink-restoration.js';
import type { Tenancy } from './tenancy.js';
import { quietNamespace } from './wiring.js';

export class Node implements Station {
  readonly name: string;
  readonly host: string;
  readonly stack: NetworkStack;
  readonly device: string;
  readonly wire: CapturePoint;
  readonly port: Port | undefined;
  readonly scopes: Scopes;
  /** Present where it is somebody else's host, or on a wire with such. */
  readonly tenancy: Tenancy | undefined;
  readonly #endpoints = new Set<Endpoint>();
  #addresses: string[] = [];
  #mac = '';
  #restoreUplink: (() => Promise<void>) | undefined;

  /** @param wire its uplink: captured by direction, as that of a node with endpoints has to be, or as a whole */
  constructor(
    wire: CapturePoint,
    scopes: Scopes,
    { port, tenancy }: { port?: Port | undefined; tenancy?: Tenancy | undefined } = {},
  ) {
    const { stack, device } = wire;
    this.name = stack.name;
    this.host = stack.name;
    this.stack = stack;
    this.device = device;
    this.port = port;
    this.scopes = scopes;
    this.wire = wire;
    this.tenancy = tenancy;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get mac(): string {
    return this.#mac;
  }

  /** A MAC address for a child that is to be made here; undefined where the kernel may choose, or has to. @throws Lacking where there may be none */
  childMac(mode: MacvlanMode | undefined): string | undefined {
    if (mode === 'passthru') this.tenancy?.refuseTakingAll(this.name);
    // A passthru child has that of its parent; what is made without a mode is made to see what the kernel chooses.
    return mode === undefined || mode === 'passthru' ? undefined : this.tenancy?.nextMac();
  }

  /** The endpoints that live on this node now. */
  get endpoints(): readonly Endpoint[] {
    return [...this.#endpoints];
  }

  /** Makes changes on this node, undone at the end of the current scope. @throws LinkError */
  async apply(...changes: Change[]): Promise<ChangeRecord[]> {
    return apply(changes, this.scopes.current);
  }

  /** Gives the node addresses on its uplink (or another device) and routes, until the end of the current scope. */
  async configure({
    addresses = [],
    routes = [],
    device = this.device,
  }: {
    addresses?: readonly string[];
    routes?: readonly Route[];
    device?: string;
  }): Promise<void> {
    await this.claim(addresses, this.scopes.current, device);
    const forget = () => (this.#addresses = this.#addresses.filter((address) => !addresses.includes(address)));
    this.scopes.current.defer(`${this.name}: addresses as before`, forget);
    const scope = this.scopes.current;
    const own = routes.flatMap((route) => this.tenancy?.routesFor(this.name, route, scope) ?? [route]);
    await this.apply(
      ...addresses.map((cidr) => addAddress(this.stack, device, cidr)),
      ...own.map((route) => addRoute(this.stack, route)),
    );
    this.#addresses = [...this.#addresses, ...addresses];
  }

  /**
   * Makes sure that addresses may be used here until the end of a scope, and that nobody has them.
   * @throws Lacking; MacvlabError HOST_ADDRESSES
   */
  async claim(addresses: readonly string[], scope: Scope, device = this.device): Promise<void> {
    const { stack } = this;
    const release = await this.tenancy?.claim(addresses, device === this.device ? undefined : { stack, device });
    if (release) scope.defer(`${this.name}: addresses are free again`, release);
  }

  /** Makes a namespace that an endpoint can live in. */
  async namespace(name: string): Promise<Endpoint> {
    const stack = this.#inside(name);
    const scope = this.scopes.current.branch(`namespace ${stack.name}`);
    const endpoint = this.#endpoint(name, stack, scope);
    await apply([...addNamespace(this.stack, stack), quietNamespace(stack)], scope);
    return endpoint;
  }

  /**
   * Takes a namespace that a container engine has made as an endpoint's.
   * @param pid a process in it
   * @param scope where this is undone; the namespace stays
   * @throws LinkError
   */
  async namespaceOf(name: string, pid: number, scope: Scope): Promise<Endpoint> {
    const stack = this.#inside(name);
    const endpoint = this.#endpoint(name, stack, scope);
    const { namespace = '' } = stack;
    const command = nameNamespace(namespace, pid);
    const remove = ['ip', 'netns', 'delete', namespace];
    const { status, stderr } = await this.stack.run(command, 'engine');
    if (status !== 0) throw new LinkError(`${this.name}: name the namespace of ${name}`, command, stderr);
    scope.defer(`no name for the namespace of ${name}`, () => this.stack.run(remove, 'undo'));
    this.stack.note(['ip', 'netns', 'add', namespace], 'likeness');
    await apply([quietNamespace(stack)], scope);
    return endpoint;
  }

  #inside(name: string): NetworkStack {
    return new NetworkStack(`${this.name}/${name}`, this.stack.session, this.stack.log, `${this.name}-${name}`);
  }

  #endpoint(name: string, stack: NetworkStack, scope: Scope): Endpoint {
    const endpoint = new Endpoint(name, this, stack, scope, this.scopes.current);
    this.#endpoints.add(endpoint);
    scope.defer(`forget ${stack.name}`, () => this.#endpoints.delete(endpoint));
    return endpoint;
  }

  /** Makes a namespace with a macvlan child of the uplink in it: the articles' "container". */
  async endpoint(name: string, options: AttachOptions): Promise<Endpoint> {
    const endpoint = await this.namespace(name);
    await endpoint.attach(options);
    return endpoint;
  }

  /** Adds a macvlan in the node's own namespace. @throws LinkError */
  async macvlan(options: Omit<MacvlanOptions, 'parent'> & { parent?: string }): Promise<LinkInfo> {
    const mac = this.childMac(options.mode);
    await this.apply(addMacvlan(this.stack, { parent: this.device, ...(mac && { mac }), ...options }));
    return readLink(this.stack, options.name);
  }

  /**
   * Makes a VLAN sub-interface and sets it up, until the end of the current scope.
   * @returns its name: endpoints can sit on it, and it can be given addresses
   * @throws LinkError
   */
  async vlan(
    id: number,
    { parent = this.device, protocol }: { parent?: string; protocol?: VlanProtocol } = {},
  ): Promise<string> {
    const name = subInterfaceOf(parent, id);
    if (this.tenancy?.isOwn(this.name)) await this.#refuseSecondVlan(parent, id);
    await this.apply(
      addVlan(this.stack, { name, parent, id, ...(protocol ? { protocol } : {}) }),
      settled(setUp(this.stack, name, true)),
    );
    return name;
  }

  /** A host may have a VLAN there itself, for which the kernel takes no second sub-interface (vlan.c, vlan_check_real_dev). */
  async #refuseSecondVlan(parent: string, id: number): Promise<void> {
    const own = (await this.links()).find(
      ({ link, linkinfo }) => link === parent && linkinfo?.info_kind === 'vlan' && linkinfo.info_data?.id === id,
    );
    if (own)
      throw new Lacking(
        'machine',
        `needs VLAN ${id} on ${parent} of ${this.name}, which has it already: ${own.ifname}`,
      );
  }

  /** Lets the node be a router or not, until the end of the current scope. */
  async forwarding(on: boolean): Promise<void> {
    await this.apply(setForwarding(this.stack, on));
  }

  /** Sets the uplink promiscuous or not, until the end of the current scope. */
  async promiscuous(on: boolean): Promise<void> {
    await this.apply(setPromiscuous(this.stack, this.device, on));
  }

  /**
   * Sets the uplink down or up. tcpdump ends when its interface goes down, so that the uplink's captures are closed
   * before and opened again after.
   */
  async setUplink(state: 'up' | 'down'): Promise<void> {
    if (state === 'down') {
      this.wire.close();
      this.scopes.current.defer(`${this.name}: listen again`, () => (this.wire.isOpen ? undefined : this.wire.open()));
      this.#restoreUplink = await prepareRestoration(this.stack, this.device);
      this.scopes.current.defer(`${this.name}: ${this.device} as before`, this.#restoreUplink);
    }
    await this.apply(setUp(this.stack, this.device, state === 'up'));
    if (state === 'up') await this.#restoreUplink?.();
    else await expectDown(this.stack, this.device);
    if (state === 'up' && !this.wire.isOpen) await this.wire.open();
  }

  /** A link of this node as the kernel shows it. @throws LinkError */
  async link(device = this.device): Promise<LinkInfo> {
    return readLink(this.stack, device);
  }

  /** All links of this node. */
  async links(): Promise<LinkInfo[]> {
    return readLinks(this.stack);
  }

  /** Lets a macvlan of the node take over its address and routes; see {@link takeOverAddress}. */
  async takeOver(name: string, options: { through: Session }): Promise<CommandResult> {
    return takeOverAddress(this, name, options.through);
  }

  /** Learns the uplink's MAC address, by reading it when nobody has read it yet. */
  async learnMac(known?: string): Promise<void> {
    this.#mac = known ?? (await this.link()).address ?? '';
  }
}

/** Bytes of an interface's name (uapi/linux/if.h, IFNAMSIZ, without the zero at its end). */
const longestName = 15;

/** What the sub-interface of a VLAN is called: "eth1.10"; the end of that, where a card's name is long. */
export function subInterfaceOf(parent: string, id: number): string {
  return `${parent}.${id}`.slice(-longestName);
}
