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
import { type AttachOptions, Endpoint, type EndpointHost } from './endpoint.js';
import type { Port } from '../exchange/link-peer-port.js';
import { MissingPrerequisite } from '../core/missing-prerequisite.js';
import type { Scopes } from './scopes.js';
import { migrateAddress } from './address-migration.js';
import { expectDown, prepareRestoration } from './external/uplink-restoration.js';
import type { HostSafetyPolicy } from './external/host-safety-policy.js';
import { quietNamespace } from './wiring.js';

export class Node implements EndpointHost {
  readonly name: string;
  readonly host: string;
  readonly stack: NetworkStack;
  readonly device: string;
  readonly wire: CapturePoint;
  readonly port: Port | undefined;
  readonly scopes: Scopes;
  readonly policy: HostSafetyPolicy;
  readonly #endpoints = new Set<Endpoint>();
  #addresses: string[] = [];
  #mac = '';
  #restoreUplink: (() => Promise<void>) | undefined;

  /** @param wire its uplink: captured in separate directions, which a node with endpoints needs, or as a whole */
  constructor(wire: CapturePoint, scopes: Scopes, policy: HostSafetyPolicy, port?: Port) {
    const { stack, device } = wire;
    this.name = stack.name;
    this.host = stack.name;
    this.stack = stack;
    this.device = device;
    this.port = port;
    this.scopes = scopes;
    this.wire = wire;
    this.policy = policy;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get mac(): string {
    return this.#mac;
  }

  /**
   * A MAC address for a new child on this node; undefined where the kernel chooses it.
   * @throws MissingPrerequisite where no child is allowed
   */
  childMac(mode: MacvlanMode | undefined): string | undefined {
    if (mode === 'passthru') this.policy.refuseTakingAll(this.name);
    // A passthru child has its parent's address. A child without a mode is created to see what the kernel chooses.
    return mode === undefined || mode === 'passthru' ? undefined : this.policy.nextMac();
  }

  /** The endpoints that exist on this node now. */
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
    const own = routes.flatMap((route) => this.policy.routesFor(this.name, route, scope));
    await this.apply(
      ...addresses.map((cidr) => addAddress(this.stack, device, cidr)),
      ...own.map((route) => addRoute(this.stack, route)),
    );
    this.#addresses = [...this.#addresses, ...addresses];
  }

  /**
   * Makes sure that addresses may be used here until the end of a scope, and that no machine has them.
   * @throws MissingPrerequisite; MacvlabError HOST_ADDRESSES
   */
  async claim(addresses: readonly string[], scope: Scope, device = this.device): Promise<void> {
    const { stack } = this;
    const release = await this.policy.claim(addresses, device === this.device ? undefined : { stack, device });
    scope.defer(`${this.name}: addresses are free again`, release);
  }

  /** Creates a namespace for an endpoint. */
  async namespace(name: string): Promise<Endpoint> {
    const stack = this.#inside(name);
    const scope = this.scopes.current.branch(`namespace ${stack.name}`);
    const endpoint = this.#endpoint(name, stack, scope);
    await apply([...addNamespace(this.stack, stack), quietNamespace(stack)], scope);
    return endpoint;
  }

  /**
   * Uses a namespace that a container engine has created for an endpoint.
   * @param pid a process in it
   * @param scope undoes this; the namespace stays
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
   * Creates a VLAN sub-interface and sets it up, until the end of the current scope.
   * @returns its name: it can be the parent of endpoints, and have addresses
   * @throws LinkError
   */
  async vlan(
    id: number,
    { parent = this.device, protocol }: { parent?: string; protocol?: VlanProtocol } = {},
  ): Promise<string> {
    const name = subInterfaceOf(parent, id);
    if (this.policy.isOwn(this.name)) await this.#refuseSecondVlan(parent, id);
    await this.apply(
      addVlan(this.stack, { name, parent, id, ...(protocol ? { protocol } : {}) }),
      settled(setUp(this.stack, name, true)),
    );
    return name;
  }

  /** A host may already have this VLAN, for which the kernel accepts no second sub-interface (vlan.c, vlan_check_real_dev). */
  async #refuseSecondVlan(parent: string, id: number): Promise<void> {
    const own = (await this.links()).find(
      ({ link, linkinfo }) => link === parent && linkinfo?.info_kind === 'vlan' && linkinfo.info_data?.id === id,
    );
    if (own)
      throw new MissingPrerequisite(
        'machine',
        `needs VLAN ${id} on ${parent} of ${this.name}, which has it already: ${own.ifname}`,
      );
  }

  /** Makes the node a router or not, until the end of the current scope. */
  async forwarding(on: boolean): Promise<void> {
    await this.apply(setForwarding(this.stack, on));
  }

  /** Makes the uplink promiscuous or not, until the end of the current scope. */
  async promiscuous(on: boolean): Promise<void> {
    await this.apply(setPromiscuous(this.stack, this.device, on));
  }

  /**
   * Sets the uplink down or up. tcpdump ends when its interface goes down, so that the uplink's captures are closed
   * before and reopened after.
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

  /** Moves the node's address and routes to a macvlan; see {@link migrateAddress}. */
  async takeOver(name: string, options: { through: Session }): Promise<CommandResult> {
    return migrateAddress(this, name, options.through);
  }

  /** Stores the uplink's MAC address. Reads it if it is not given and not stored. */
  async learnMac(known?: string): Promise<void> {
    this.#mac = known ?? (await this.link()).address ?? '';
  }
}

/** Bytes of an interface's name (uapi/linux/if.h, IFNAMSIZ, without the final zero). */
const longestName = 15;

/** The name of a VLAN's sub-interface: "eth1.10"; the end of that, where a NIC's name is long. */
export function subInterfaceOf(parent: string, id: number): string {
  return `${parent}.${id}`.slice(-longestName);
}
