/** A Linux bridge as a lab's switch: the lab's own bridge, or an external bridge that the lab reaches over SSH. */
import { type BridgePortFlag, readBridgePorts, setBridgePortFlag } from '../../link/bridge-port.js';
import { type PortVlan, setDefaultVlan, setPortVlans, setVlanFiltering } from '../../link/bridge-vlan.js';
import { apply, type Change } from '../../link/change.js';
import { addressesOf } from '../../link/address.js';
import { readLink } from '../../link/link-info.js';
import type { NetworkStack } from '../../remote/network-stack.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';
import type { Scopes } from '../scopes.js';
import type { SwitchSettings } from './switch.js';

export class LinuxBridge implements SwitchSettings {
  readonly stack: NetworkStack;
  readonly #device: string;
  readonly #ports: ReadonlyMap<string, string>;
  readonly #scopes: Scopes;

  /**
   * @param device the bridge itself
   * @param ports its ports' names, by link peer
   */
  constructor(stack: NetworkStack, device: string, ports: ReadonlyMap<string, string>, scopes: Scopes) {
    this.stack = stack;
    this.#device = device;
    this.#ports = ports;
    this.#scopes = scopes;
  }

  async set(port: string, flag: BridgePortFlag, on: boolean): Promise<void> {
    await this.#apply(setBridgePortFlag(this.stack, this.#portOf(port), flag, on));
  }

  async filterVlans(): Promise<void> {
    const { stack } = this;
    await this.#apply(setDefaultVlan(stack, this.#device, 0), setVlanFiltering(stack, this.#device, true));
  }

  async setVlans(port: string, vlans: readonly PortVlan[]): Promise<void> {
    await this.#apply(setPortVlans(this.stack, this.#portOf(port), vlans));
  }

  #portOf(name: string): string {
    const port = this.#ports.get(name);
    if (port !== undefined) return port;
    throw new TypeError(`the bridge ${this.#device} has no port towards ${name}`);
  }

  async #apply(...changes: Change[]): Promise<void> {
    await apply(changes, this.#scopes.current);
  }
}

/** An external bridge, which other machines may also be connected to. */
export class ExternalBridge extends LinuxBridge {
  readonly #what: { device: string; ports: ReadonlyMap<string, string>; sessions: readonly string[] };

  /** @param sessions of nodes that are reached through this bridge, as text */
  constructor(
    stack: NetworkStack,
    device: string,
    ports: ReadonlyMap<string, string>,
    scopes: Scopes,
    sessions: readonly string[] = [],
  ) {
    super(stack, device, ports, scopes);
    this.#what = { device, ports, sessions };
  }

  async prepare(): Promise<void> {
    for (const port of this.#what.ports.keys()) await this.set(port, 'hairpin', false);
  }

  /**
   * @throws MissingPrerequisite where that would disconnect other machines: those on further ports, or those that use
   *   the bridge itself. All of them lose their VLAN with the ports' default
   */
  override async filterVlans(): Promise<void> {
    const { device, ports, sessions } = this.#what;
    const [session] = sessions;
    if (session !== undefined)
      throw new MissingPrerequisite('switch', `needs the bridge ${device} to tell VLANs apart, and ${session}`);
    const [link, all] = [await readLink(this.stack, device), await readBridgePorts(this.stack)];
    const own = new Set(ports.values());
    const others = all.filter(({ ifname, master }) => master === device && !own.has(ifname));
    const inTheWay = [
      ...others.map(({ ifname }) => `its port ${ifname}`),
      ...addressesOf(link).map((address) => `its own address ${address}`),
    ];
    if (inTheWay.length === 0) return super.filterVlans();
    throw new MissingPrerequisite(
      'switch',
      `needs the bridge ${device} to tell VLANs apart, which would cut off who is there besides: ${inTheWay.join(', ')}`,
    );
  }
}
