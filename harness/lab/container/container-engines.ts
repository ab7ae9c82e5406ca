/** The container engines of a lab. Each starts on a node at its first use, and ends with the lab. */
import { MacvlabError } from '../../core/error.js';
import type { ContainerNetworking, EngineKind } from '../../engine/networking.js';
import { ContainerHost } from './container-host.js';
import type { OwnMachines } from '../../machine/driver.js';
import type { Node } from '../node.js';

/** Each is loaded at its first use. */
const starters: Record<EngineKind, (node: Node, tree: string) => Promise<ContainerNetworking>> = {
  docker: async ({ stack }, tree) => (await import('../../engine/docker.js')).Docker.start(stack, tree),
  podman: async ({ stack }, tree) => (await import('../../engine/podman.js')).Podman.start(stack, tree),
  cni: async ({ stack }, tree) => (await import('../../engine/cni.js')).Cni.start(stack, tree),
};

export class ContainerEngines {
  readonly #engines: OwnMachines['engines'];
  readonly #started = new Map<string, Promise<ContainerNetworking>>();

  constructor(engines: OwnMachines['engines']) {
    this.#engines = engines;
  }

  /**
   * A node's engine, which is started if necessary.
   * @throws MacvlabError ENGINE_MISSING when its programs are missing, or it does not start
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
