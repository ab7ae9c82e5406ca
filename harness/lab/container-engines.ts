/** The container engines of a lab: each begins to run on a node when it is first asked for, and ends with the lab. */
import { MacvlabError } from '../core/error.js';
import type { ContainerNetworking, EngineKind } from '../engine/networking.js';
import { ContainerHost } from './container-host.js';
import type { Node } from './node.js';

/** Each is loaded only when it is asked for. */
const starters: Record<EngineKind, (node: Node, tree: string) => Promise<ContainerNetworking>> = {
  docker: async ({ stack }, tree) => (await import('../engine/docker.js')).Docker.start(stack, tree),
  podman: async ({ stack }, tree) => (await import('../engine/podman.js')).Podman.start(stack, tree),
  cni: async ({ stack }, tree) => (await import('../engine/cni.js')).Cni.start(stack, tree),
};

export class ContainerEngines {
  readonly #tree: string | undefined;
  readonly #started = new Map<string, Promise<ContainerNetworking>>();

  /** @param tree the folder on the nodes' machines that holds the engines' programs */
  constructor(tree: string | undefined) {
    this.#tree = tree;
  }

  /**
   * A node's engine, which is started if need be.
   * @throws MacvlabError ENGINE_MISSING when its programs are not there, or it does not start
   */
  async on(node: Node, kind: EngineKind): Promise<ContainerHost> {
    const key = `${node.name} ${kind}`;
    const known = await this.#started.get(key)?.catch(() => undefined);
    if (known && !known.isGone) return new ContainerHost(node, known);
    const starting = this.#start(node, kind);
    this.#started.set(key, starting);
    return new ContainerHost(node, await starting);
  }

  async #start(node: Node, kind: EngineKind): Promise<ContainerNetworking> {
    if (this.#tree !== undefined) return starters[kind](node, this.#tree);
    throw new MacvlabError('ENGINE_MISSING', `${kind}: this lab has no container engines`, {
      next: 'fetch their programs, once: npx macvlab lab prepare --engines',
    });
  }
}
