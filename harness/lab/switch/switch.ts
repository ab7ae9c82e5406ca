/** The switch between the nodes, with one port per cable: a Linux bridge of the lab's own, or an external switch. */
import type { BridgePortFlag } from '../../link/bridge-port.js';
import type { PortVlan } from '../../link/bridge-vlan.js';
import type { NetworkStack } from '../../remote/network-stack.js';
import { CapturePoint } from '../../wire/capture-point.js';
import type { Port } from '../../exchange/link-peer-port.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';

/** The VLANs on a trunk. */
export interface Trunk {
  /** The VLAN of untagged frames; without one, they are dropped. */
  native?: number;
  /** VLANs whose frames carry their tag. */
  allowed: readonly number[];
}

/** Changes the settings of a switch. The end of the current scope restores them. Ports are named after their link peer. */
export interface SwitchSettings {
  /** Its machine, where the lab has access to it. */
  readonly stack?: NetworkStack;
  /** Sets the state that suites rely on, as long as the lab exists: no port reflects. */
  prepare?(): Promise<void>;
  /** @throws LinkError; MissingPrerequisite where the switch has another setting, and cannot be set */
  set(port: string, flag: BridgePortFlag, on: boolean): Promise<void>;
  /** @throws MacvlabError LINK_IGNORED when the kernel does not support that; MissingPrerequisite */
  filterVlans(): Promise<void>;
  /** @throws LinkError; MissingPrerequisite */
  setVlans(port: string, vlans: readonly PortVlan[]): Promise<void>;
  /** Makes sure that a port reflects if and only if it was set to. @throws MissingPrerequisite where that is not so or is unknown */
  requireKnownReflection?(port: string): void;
  /** Whether a port should reflect now, as the user declared it; undefined where the switch itself shows that. */
  claimedReflection?(port: string): boolean | undefined;
}

export class Switch {
  readonly name = 'switch';
  readonly ports: ReadonlyMap<string, Port>;
  readonly #settings: SwitchSettings;

  /** @param ports by link peer */
  constructor(ports: ReadonlyMap<string, Port>, settings: SwitchSettings) {
    this.ports = ports;
    this.#settings = settings;
  }

  /** The switch's machine. @throws MissingPrerequisite where the lab has no access to it */
  get stack(): NetworkStack {
    const { stack } = this.#settings;
    if (stack) return stack;
    throw new MissingPrerequisite('switch', 'needs to look into the switch, which nobody can reach');
  }

  /** Whether it has a {@link stack}. */
  get isReached(): boolean {
    return this.#settings.stack !== undefined;
  }

  /** The ports with captures of their own. */
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

  /** Sets the state that suites rely on. */
  async prepare(): Promise<void> {
    await this.#settings.prepare?.();
  }

  /** Makes a port send frames back out of the port that received them (reflective relay of IEEE 802.1Q-2014), until the end of the current scope. */
  async hairpin(port: string, on: boolean): Promise<void> {
    await this.set(port, 'hairpin', on);
  }

  /** Sets a flag of a port, until the end of the current scope. @throws as {@link SwitchSettings.set} */
  async set(port: string, flag: BridgePortFlag, on: boolean): Promise<void> {
    await this.#settings.set(port, flag, on);
  }

  /** Refuses what depends on whether a port reflects, where that differs from its setting or is unknown. @throws MissingPrerequisite */
  requireKnownReflection(port: string): void {
    this.#settings.requireKnownReflection?.(port);
  }

  /** See {@link SwitchSettings.claimedReflection}. */
  claimedReflection(port: string): boolean | undefined {
    return this.#settings.claimedReflection?.(port);
  }

  /**
   * Turns VLAN filtering on, until the end of the current scope. A port is then in no VLAN, and passes no frame, until
   * it is made a {@link trunk} or an {@link access} port.
   * @throws as {@link SwitchSettings.filterVlans}
   */
  async filterVlans(): Promise<void> {
    await this.#settings.filterVlans();
  }

  /** Makes a port carry several VLANs, distinguished by tags, until the end of the current scope. */
  async trunk(port: string, { native, allowed }: Trunk): Promise<void> {
    const tagged = allowed.filter((id) => id !== native).map((id) => ({ id, pvid: false, untagged: false }));
    await this.#settings.setVlans(port, [...(native === undefined ? [] : [inside(native)]), ...tagged]);
  }

  /** Makes a port carry one VLAN, whose frames are untagged on the cable, until the end of the current scope. */
  async access(port: string, vlan: number): Promise<void> {
    await this.#settings.setVlans(port, [inside(vlan)]);
  }
}

/** The VLAN of untagged frames. */
function inside(id: number): PortVlan {
  return { id, pvid: true, untagged: true };
}
