/** The switch between the nodes: a Linux bridge with one port per cable. */
import { type PortVlan, setDefaultVlan, setPortVlans, setVlanFiltering } from '../link/bridge-vlan.js';
import { apply, type Change } from '../link/change.js';
import { type BridgePortFlag, setBridgePortFlag } from '../link/bridge-port.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { CapturePoint } from '../wire/capture-point.js';
import type { Scopes } from './scopes.js';
import { topology } from './topology.js';

/** What a trunk carries. */
export interface Trunk {
  /** The VLAN of untagged frames; without one, they are dropped. */
  native?: number;
  /** VLANs whose frames carry their tag. */
  allowed: readonly number[];
}

export class Switch {
  readonly name = 'switch';
  readonly stack: NetworkStack;
  readonly ports: ReadonlyMap<string, CapturePoint>;
  readonly #scopes: Scopes;

  /** @param ports the switch's interfaces, named after who is at the other end */
  constructor(stack: NetworkStack, ports: readonly string[], scopes: Scopes) {
    this.stack = stack;
    this.#scopes = scopes;
    this.ports = new Map(ports.map((name) => [name, new CapturePoint(stack, name, ['in', 'out'])]));
  }

  /** The port towards a node. */
  port(name: string): CapturePoint {
    const port = this.ports.get(name);
    if (!port)
      throw new TypeError(`the switch has no port towards ${name}; it has ${[...this.ports.keys()].join(', ')}`);
    return port;
  }

  /** Lets frames out of the port through which they came (802.1Qbg reflective relay), until the end of the current scope. */
  async hairpin(port: string, on: boolean): Promise<void> {
    await this.set(port, 'hairpin', on);
  }

  /** Sets a flag of a port, until the end of the current scope. @throws LinkError */
  async set(port: string, flag: BridgePortFlag, on: boolean): Promise<void> {
    await this.#apply(setBridgePortFlag(this.stack, this.port(port).device, flag, on));
  }

  /**
   * Lets the switch tell VLANs apart, until the end of the current scope. A port is in no VLAN then, and nothing passes it,
   * until it is made a {@link trunk} or an {@link access} port.
   * @throws MacvlabError LINK_IGNORED when the kernel cannot do that
   */
  async filterVlans(): Promise<void> {
    const { bridge } = topology;
    await this.#apply(setDefaultVlan(this.stack, bridge, 0), setVlanFiltering(this.stack, bridge, true));
  }

  /** Makes a port carry several VLANs, told apart by tags, until the end of the current scope. */
  async trunk(port: string, { native, allowed }: Trunk): Promise<void> {
    const tagged = allowed.filter((id) => id !== native).map((id) => ({ id, pvid: false, untagged: false }));
    await this.#setVlans(port, [...(native === undefined ? [] : [inside(native)]), ...tagged]);
  }

  /** Makes a port carry one VLAN, whose frames bear no tag outside, until the end of the current scope. */
  async access(port: string, vlan: number): Promise<void> {
    await this.#setVlans(port, [inside(vlan)]);
  }

  async #setVlans(port: string, vlans: readonly PortVlan[]): Promise<void> {
    await this.#apply(setPortVlans(this.stack, this.port(port).device, vlans));
  }

  async #apply(...changes: Change[]): Promise<void> {
    await apply(changes, this.#scopes.current);
  }
}

/** The VLAN that untagged frames are in. */
function inside(id: number): PortVlan {
  return { id, pvid: true, untagged: true };
}
