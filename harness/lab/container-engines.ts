/** The container engines of a lab: each begins to run on a node when it is first asked for, and ends with the lab. */
import { MacvlabError } from '../core/error.js';
import type { ContainerNetworking, EngineKind } from '../engine/networking.js';
import { ContainerHost } from './container-host.js';
import type { Machines } from './driver.js';
import type { Node } from './node.js';

/** Each is loaded only when it is asked for. */
const starters: Record<EngineKind, (node: Node, tree: string) => Promise<ContainerNetworking>> = {
  docker: async ({ stack }, tree) => (await import('../engine/docker.js')).Docker.start(stack, tree),
  podman: async ({ stack }, tree) => (await import('../engine/podman.js')).Podman.start(stack, tree),
  cni: async ({ stack }, tree) => (await import('../engine/cni.js')).Cni.start(stack, tree),
};

export class ContainerEngines {
  readonly #engines: Machines['engines'];
  readonly #started = new Map<string, Promise<ContainerNetworking>>();

  constructor(engines: Machines['engines']) {
    this.#engines = engines;
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
    const tree = this.#engines?.tree;
    if (tree !== undefined) return starters[kind](node, tree);
    if (!this.#engines) {
      throw new MacvlabError('ENGINE_MISSING', `${kind} is not run within this kind of lab`, {
        next: 'let the run choose the lab: --lab auto',
      });
    }
    throw new MacvlabError(
      'ENGINE_MISSING',
      `there is no container engine ${kind}: its programs have not been fetched`,
      {
        next: 'fetch them, once: npx macvlab lab prepare --engines',
      },
    );
  }
}
