/** A docker daemon on a node, and its macvlan driver. */
import type { NetworkStack } from '../remote/network-stack.js';
import { EngineRoot } from './engine-root.js';
import type { ContainerNetworking, ContainerPlan, NetworkPlan } from './networking.js';
import { pauseImage, pauseProgram } from './pause-image.js';

/**
 * No bridge, no firewall rules and no routing by docker: they would interfere with macvlan, or change the node. Copies
 * of files instead of overlays, which not every kernel can stack. /etc/docker/daemon.json names the runtime.
 */
const daemon = [
  ...['dockerd', '--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
  ...['--userland-proxy=false', '--storage-driver', 'vfs', '--default-runtime', 'nocgroups', '--log-driver', 'none'],
];

const image = 'macvlab-pause';

export class Docker implements ContainerNetworking {
  readonly kind = 'docker';
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
   * Starts a daemon on a node, with the one image for all containers.
   * @param tree the folder on the node's machine with the engines' programs
   * @throws MacvlabError ENGINE_MISSING with the daemon's last output
   */
  static async start(node: NetworkStack, tree: string): Promise<Docker> {
    const root = await EngineRoot.start(node, tree, daemon, /API listen on /);
    try {
      await root.perform(['docker', 'import', '-', image], pauseImage());
      const version = await root.ask(['docker', 'version', '--format', '{{.Server.Version}}']);
      return new Docker(root, version.trim());
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  async createNetwork({ name, subnets, parent, mode }: NetworkPlan): Promise<void> {
    const ipv6 = subnets.some(({ subnet }) => subnet.includes(':'));
    await this.#root.perform([
      ...['docker', 'network', 'create', '--driver', 'macvlan', ...(ipv6 ? ['--ipv6'] : [])],
      ...subnets.flatMap(({ subnet, gateway, range, reserved = {} }) => [
        ...['--subnet', subnet],
        ...(gateway ? ['--gateway', gateway] : []),
        ...(range ? ['--ip-range', range] : []),
        ...Object.entries(reserved).flatMap(([who, address]) => ['--aux-address', `${who}=${address}`]),
      ]),
      ...(parent === null ? [] : ['--opt', `parent=${parent}`]),
      ...(mode ? ['--opt', `macvlan_mode=${mode}`] : []),
      name,
    ]);
  }

  async removeNetwork(name: string): Promise<void> {
    await this.#root.perform(['docker', 'network', 'rm', name]);
  }

  async start({ name, network, addresses = [] }: ContainerPlan): Promise<{ pid: number }> {
    const asked = addresses.flatMap((address) => [address.includes(':') ? '--ip6' : '--ip', address]);
    // With --rm, a container that cannot be started is removed completely.
    const run = ['docker', 'run', '--detach', '--rm', '--name', name, '--network', network, ...asked];
    await this.#root.perform([...run, image, pauseProgram]);
    return { pid: Number(await this.#root.ask(['docker', 'inspect', '--format', '{{.State.Pid}}', name])) };
  }

  async remove(container: string): Promise<void> {
    await this.#root.perform(['docker', 'rm', '--force', container]);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }
}
