/** podman on a node, with networks of netavark. It has no daemon. */
import type { NetworkStack } from '../remote/network-stack.js';
import { EngineRoot } from './engine-root.js';
import type { ContainerNetworking, ContainerPlan, NetworkPlan } from './networking.js';
import { pauseImage, pauseProgram } from './pause-image.js';

const image = 'macvlab-pause';

export class Podman implements ContainerNetworking {
  readonly kind = 'podman';
  readonly version: string;
  readonly #root: EngineRoot;

  private constructor(root: EngineRoot, version: string) {
    this.#root = root;
    this.version = version;
  }

  get isGone(): boolean {
    return this.#root.isGone;
  }

  /**
   * Prepares podman on a node, with the one image for all containers.
   * @param tree the folder on the node's machine with the engines' programs
   * @throws MacvlabError ENGINE_MISSING, ENGINE_REFUSED
   */
  static async start(node: NetworkStack, tree: string): Promise<Podman> {
    const root = await EngineRoot.idle(node, tree);
    try {
      await root.perform(['podman', 'import', '-', image], pauseImage());
      const version = await root.ask(['podman', 'version', '--format', '{{.Client.Version}}']);
      return new Podman(root, version.trim());
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  /** podman has no reserved addresses. */
  async createNetwork({ name, subnets, parent, mode }: NetworkPlan): Promise<void> {
    if (subnets.some(({ reserved }) => reserved)) throw new TypeError('podman has no --aux-address');
    const ipv6 = subnets.some(({ subnet }) => subnet.includes(':'));
    await this.#root.perform([
      ...['podman', 'network', 'create', '--driver', 'macvlan', ...(ipv6 ? ['--ipv6'] : [])],
      ...subnets.flatMap(({ subnet, gateway, range }) => [
        ...['--subnet', subnet],
        ...(gateway ? ['--gateway', gateway] : []),
        ...(range ? ['--ip-range', range] : []),
      ]),
      ...(parent === null ? [] : ['--opt', `parent=${parent}`]),
      ...(mode ? ['--opt', `mode=${mode}`] : []),
      name,
    ]);
  }

  async removeNetwork(name: string): Promise<void> {
    await this.#root.perform(['podman', 'network', 'rm', name]);
  }

  async start({ name, network, addresses = [] }: ContainerPlan): Promise<{ pid: number }> {
    const asked = addresses.flatMap((address) => [address.includes(':') ? '--ip6' : '--ip', address]);
    // With --rm, a container that cannot be started is removed completely.
    const run = ['podman', 'run', '--detach', '--rm', '--name', name, '--network', network, ...asked];
    await this.#root.perform([...run, image, pauseProgram]);
    return { pid: Number(await this.#root.ask(['podman', 'inspect', '--format', '{{.State.Pid}}', name])) };
  }

  async remove(container: string): Promise<void> {
    // Without a time, it would first send a signal that the first process of a container ignores, and wait.
    await this.#root.perform(['podman', 'rm', '--force', '--time', '0', container]);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }
}
