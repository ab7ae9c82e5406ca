/** What docker, podman and CNI have in common: macvlan networks on a device of a node, and containers in them. */
import type { MacvlanMode } from '../link/macvlan.js';

/** The engines that there are, by the names of their programs or protocol. */
export type EngineKind = 'docker' | 'podman' | 'cni';

/** A subnet of a network, as engines hand out addresses from it. */
export interface Subnet {
  /** CIDR; of either version. */
  subnet: string;
  gateway?: string;
  /** The part of the subnet from which addresses are taken; CIDR. */
  range?: string;
  /** Addresses that are never given to a container, by the names of who has them. */
  reserved?: Readonly<Record<string, string>>;
}

/** A macvlan network as an engine is asked for it. */
export interface NetworkPlan {
  name: string;
  subnets: readonly Subnet[];
  /** The device that children sit on: "eth1", "eth1.10"; none is named with null. */
  parent: string | null;
  /** Without a mode, the engine chooses. */
  mode?: MacvlanMode;
}

/** A container as an engine is asked for it. */
export interface ContainerPlan {
  name: string;
  network: string;
  /** Without prefix length, at most one of each version; without, the engine chooses. */
  addresses?: readonly string[];
}

/** A container that runs. */
interface StartedContainer {
  /** A process in its network namespace. */
  pid: number;
}

/** A container engine that is ready on one node. */
export interface ContainerNetworking {
  readonly kind: EngineKind;
  /** "26.1.5" */
  readonly version: string;
  /** Whether it has ended by itself. */
  readonly isGone: boolean;
  /** @throws EngineRefusal with the engine's words */
  createNetwork(plan: NetworkPlan): Promise<void>;
  /** @throws EngineRefusal */
  removeNetwork(name: string): Promise<void>;
  /** @throws EngineRefusal; nothing of the container is left then */
  start(plan: ContainerPlan): Promise<StartedContainer>;
  /** Looks whether a container's network is still as the engine has made it; CNI alone knows that. @throws EngineRefusal */
  check?(container: string): Promise<void>;
  /** @throws EngineRefusal */
  remove(container: string): Promise<void>;
  /** Ends the engine with all that it keeps running. */
  close(): Promise<void>;
}
