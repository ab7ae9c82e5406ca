/** The common interface of docker, podman and CNI: macvlan networks on a device of a node, and containers in them. */
import type { MacvlanMode } from '../link/macvlan.js';

/** The supported engines, by the names of their programs or protocol. */
export type EngineKind = 'docker' | 'podman' | 'cni';

/** A subnet of a network, from which engines assign addresses. */
export interface Subnet {
  /** CIDR; of either version. */
  subnet: string;
  gateway?: string;
  /** The part of the subnet for assigned addresses; CIDR. */
  range?: string;
  /** Addresses that are never assigned to a container, by the names of their owners. */
  reserved?: Readonly<Record<string, string>>;
}

/** A macvlan network, as requested from an engine. */
export interface NetworkPlan {
  name: string;
  subnets: readonly Subnet[];
  /** The children's parent: "eth1", "eth1.10"; null names none. */
  parent: string | null;
  /** The engine chooses if absent. */
  mode?: MacvlanMode;
}

/** A container, as requested from an engine. */
export interface ContainerPlan {
  name: string;
  network: string;
  /** Without prefix length, at most one of each version; the engine chooses if absent. */
  addresses?: readonly string[];
}

/** A running container. */
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
  /** @throws EngineRefusal with the engine's message */
  createNetwork(plan: NetworkPlan): Promise<void>;
  /** @throws EngineRefusal */
  removeNetwork(name: string): Promise<void>;
  /** @throws EngineRefusal; the container is then removed completely */
  start(plan: ContainerPlan): Promise<StartedContainer>;
  /** Checks that a container's network is as the engine has created it; only CNI can do that. @throws EngineRefusal */
  check?(container: string): Promise<void>;
  /** @throws EngineRefusal */
  remove(container: string): Promise<void>;
  /** Ends the engine with all its processes. */
  close(): Promise<void>;
}
