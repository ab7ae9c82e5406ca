/**
 * Uses the CNI macvlan plugin on a node by its protocol. A network is a configuration. A container is a network
 * namespace that a process holds. The plugin is called to ADD, CHECK and DEL the container's interface (CNI
 * specification 1.0.0).
 */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { MacvlabError } from '../core/error.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { readAnswer } from './answer.js';
import { EngineRoot } from './engine-root.js';
import type { ContainerNetworking, ContainerPlan, NetworkPlan, Subnet } from './networking.js';
import { endsOf } from './range.js';

const plugins = '/usr/lib/cni';
const plugin = `${plugins}/macvlan`;
const interfaceName = 'eth0';

/** The result of ADD, which is passed to CHECK and DEL. */
const resultSchema = z.looseObject({ cniVersion: z.string() });
const versionSchema = z.looseObject({ cniVersion: z.string() });

interface Attachment {
  network: string;
  pid: number;
  addresses: readonly string[];
  result: z.infer<typeof resultSchema>;
}

type Command = 'ADD' | 'CHECK' | 'DEL';

export class Cni implements ContainerNetworking {
  readonly kind = 'cni';
  /** The version of the plugin's protocol. */
  readonly version: string;
  readonly #root: EngineRoot;
  readonly #networks = new Map<string, NetworkPlan>();
  readonly #attachments = new Map<string, Attachment>();

  private constructor(root: EngineRoot, version: string) {
    this.#root = root;
    this.version = version;
  }

  get isGone(): boolean {
    return this.#root.isGone;
  }

  /**
   * Prepares calls of the plugin on a node.
   * @param tree the folder on the node's machine with the engines' programs
   * @throws MacvlabError ENGINE_MISSING, ENGINE_REFUSED
   */
  static async start(node: NetworkStack, tree: string): Promise<Cni> {
    const root = await EngineRoot.idle(node, tree);
    try {
      const { cniVersion } = readAnswer(await root.ask(['env', 'CNI_COMMAND=VERSION', plugin]), versionSchema);
      return new Cni(root, cniVersion);
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  /** No call yet: a plugin receives a network's configuration when a container is added to it. */
  createNetwork(plan: NetworkPlan): Promise<void> {
    if (this.#networks.has(plan.name)) throw new TypeError(`there is a network ${plan.name} already`);
    this.#networks.set(plan.name, plan);
    return Promise.resolve();
  }

  removeNetwork(name: string): Promise<void> {
    this.#networks.delete(name);
    return Promise.resolve();
  }

  async start({ name, network, addresses = [] }: ContainerPlan): Promise<{ pid: number }> {
    const keep = 'sleep 2147483647 </dev/null >/dev/null 2>&1 & echo $!';
    const pid = Number(await this.#root.perform(['busybox', 'unshare', '-n', 'sh', '-c', keep]));
    try {
      const answer = await this.#call('ADD', name, { network, pid, addresses });
      const result = readAnswer(answer, resultSchema);
      this.#attachments.set(name, { network, pid, addresses, result });
      return { pid };
    } catch (error) {
      await this.#root.perform(['kill', '-KILL', String(pid)]);
      throw error;
    }
  }

  async check(container: string): Promise<void> {
    await this.#call('CHECK', container, this.#attachment(container));
  }

  async remove(container: string): Promise<void> {
    const attachment = this.#attachment(container);
    await this.#call('DEL', container, attachment);
    this.#attachments.delete(container);
    await this.#root.perform(['kill', '-KILL', String(attachment.pid)]);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #attachment(container: string): Attachment {
    const attachment = this.#attachments.get(container);
    if (attachment) return attachment;
    throw new TypeError(`there is no container ${container}`);
  }

  async #call(
    command: Command,
    container: string,
    { network, pid, addresses, result }: Omit<Attachment, 'result'> & Partial<Pick<Attachment, 'result'>>,
  ): Promise<string> {
    const plan = this.#networks.get(network);
    if (!plan) {
      throw new MacvlabError('ENGINE_REFUSED', `there is no network ${network}`, {
        next: 'make it before a container',
      });
    }
    const environment = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: container,
      CNI_NETNS: `/proc/${pid}/ns/net`,
      CNI_IFNAME: interfaceName,
      CNI_PATH: plugins,
    };
    const configuration = { ...configurationOf(plan, addresses), ...(result && { prevResult: result }) };
    const settings = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
    return this.#root.perform(['env', ...settings, plugin], JSON.stringify(configuration));
  }
}

/** A network's configuration for the plugins macvlan and host-local. */
function configurationOf({ name, parent, mode, subnets }: NetworkPlan, addresses: readonly string[]): object {
  if (subnets.some(({ reserved }) => reserved)) throw new TypeError('host-local reserves no addresses');
  const versions = new Set(subnets.map(({ subnet }) => (isIPv4(subnet.split('/')[0] ?? '') ? 4 : 6)));
  return {
    cniVersion: '1.0.0',
    name,
    type: 'macvlan',
    ...(parent === null ? {} : { master: parent }),
    ...(mode && { mode }),
    ipam: {
      type: 'host-local',
      ranges: subnets.map((subnet) => [rangeOf(subnet)]),
      routes: [...versions].map((version) => ({ dst: version === 4 ? '0.0.0.0/0' : '::/0' })),
      dataDir: '/var/lib/cni',
    },
    ...(addresses.length > 0 && { args: { cni: { ips: addresses } } }),
  };
}

function rangeOf({ subnet, gateway, range }: Subnet): object {
  const ends = range === undefined ? undefined : endsOf(range);
  return { subnet, ...(gateway && { gateway }), ...(ends && { rangeStart: ends.first, rangeEnd: ends.last }) };
}
