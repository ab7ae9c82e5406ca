/** The switch between the nodes, with one port per cable: a Linux bridge of the lab's own, or whatever its owner has. */
import type { BridgePortFlag } from '../link/bridge-port.js';
import type { PortVlan } from '../link/bridge-vlan.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { CapturePoint } from '../wire/capture-point.js';
import type { Port } from './far-end.js';
import { Lacking } from './lacking.js';

/** What a trunk carries. */
export interface Trunk {
  /** The VLAN of untagged frames; without one, they are dropped. */
  native?: number;
  /** VLANs whose frames carry their tag. */
  allowed: readonly number[];
}

/** How a switch is set. What is set is as it was before when the current scope ends. Ports are named after who is at the other end. */
export interface SwitchSettings {
  /** The machine that it is, where the lab may look into it. */
  readonly stack?: NetworkStack;
  /** Makes the switch what suites take for granted: no port reflects. For as long as there is the lab. */
  prepare?(): Promise<void>;
  /** @throws LinkError; Lacking where the switch is not as it should be, and cannot be set */
  set(port: string, flag: BridgePortFlag, on: boolean): Promise<void>;
  /** @throws MacvlabError LINK_IGNORED when the kernel cannot do that; Lacking */
  filterVlans(): Promise<void>;
  /** @throws LinkError; Lacking */
  setVlans(port: string, vlans: readonly PortVlan[]): Promise<void>;
  /** Makes sure that a port reflects if and only if it was set to. @throws Lacking where it does not, or nobody knows */
  requireKnownReflection?(port: string): void;
  /** Whether a port should reflect now, by what its owner says of it; undefined where that is read from the switch itself. */
  claimedReflection?(port: string): boolean | undefined;
}

export class Switch {
  readonly name = 'switch';
  readonly ports: ReadonlyMap<string, Port>;
  readonly #settings: SwitchSettings;

  /** @param ports by who is at the other end */
  constructor(ports: ReadonlyMap<string, Port>, settings: SwitchSettings) {
    this.ports = ports;
    this.#settings = settings;
  }

  /** The switch's machine. @throws Lacking where the lab has none */
  get stack(): NetworkStack {
    const { stack } = this.#settings;
    if (stack) return stack;
    throw new Lacking('switch', 'needs to look into the switch, which nobody can reach');
  }

  /** Whether it has a {@link stack}. */
  get isReached(): boolean {
    return this.#settings.stack !== undefined;
  }

  /** The ports that are listened on themselves. */
  get points(): readonly CapturePoint[] {
    return [...this.ports.values()].filter((port) => port instanceof CapturePoint);
  }

  /** The port towards a node. */
  port(name: string): Port {
    const port = this.ports.get(name);
    if (!port)
      throw new TypeError(`the switch has no port towards ${name}; it has ${[...this.ports.keys()].join(', ')}`);
    return port;
  }

  /** Makes the switch what suites take for granted. */
  async prepare(): Promise<void> {
    await this.#settings.prepare?.();
  }

  /** Lets frames out of the port through which they came (reflective relay of IEEE 802.1Q-2014), until the end of the current scope. */
  async hairpin(port: string, on: boolean): Promise<void> {
    await this.set(port, 'hairpin', on);
  }

  /** Sets a flag of a port, until the end of the current scope. @throws as {@link SwitchSettings.set} */
  async set(port: string, flag: BridgePortFlag, on: boolean): Promise<void> {
    await this.#settings.set(port, flag, on);
  }

  /** Refuses what depends on whether a port reflects, where that is not as it was set or is not known. @throws Lacking */
  requireKnownReflection(port: string): void {
    this.#settings.requireKnownReflection?.(port);
  }

  /** See {@link SwitchSettings.claimedReflection}. */
  claimedReflection(port: string): boolean | undefined {
    return this.#settings.claimedReflection?.(port);
  }

  /**
   * Lets the switch tell VLANs apart, until the end of the current scope. A port is in no VLAN then, and nothing passes it,
   * until it is made a {@link trunk} or an {@link access} port.
   * @throws as {@link SwitchSettings.filterVlans}
   */
  async filterVlans(): Promise<void> {
    await this.#settings.filterVlans();
  }

  /** Makes a port carry several VLANs, told apart by tags, until the end of the current scope. */
  async trunk(port: string, { native, allowed }: Trunk): Promise<void> {
    const tagged = allowed.filter((id) => id !== native).map((id) => ({ id, pvid: false, untagged: false }));
    await this.#settings.setVlans(port, [...(native === undefined ? [] : [inside(native)]), ...tagged]);
  }

  /** Makes a port carry one VLAN, whose frames bear no tag outside, until the end of the current scope. */
  async access(port: string, vlan: number): Promise<void> {
    await this.#settings.setVlans(port, [inside(vlan)]);
  }
}

/** The VLAN that untagged frames are in. */
function inside(id: number): PortVlan {
  return { id, pvid: true, untagged: true };
}
