/**
 * The container lab driver: node1, node2 and the switch are one container each, on any engine that docker's client
 * could reach. The containers share a process namespace. So they end together, and macvlab creates their cables without
 * any privilege outside of them (docs/decisions/0009).
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { MacvlabError } from '../../core/error.js';
import { newKeyPair } from '../../remote/keys.js';
import type { Session } from '../../remote/session.js';
import { measuredClocks } from '../clocks.js';
import { type AllSessions, type Host, type LabDriver, type Machines, noClocks, noKernelLog } from '../driver.js';
import { startHolder } from '../detached/holders.js';
import type { LabKeys } from '../../remote/sshd.js';
import type { NodeName, Topology } from '../topology.js';
import type { ContainerState } from './attach.js';
import { containerCables } from './cables.js';
import { checkContainer } from './check.js';
import { connectNode, hostsOf, sshOf } from './connect.js';
import { confinementOf } from './containers.js';
import type { Engine } from './engine.js';
import { labelsOf } from './labels.js';
import { removeLab, removeLeftovers } from './leftovers.js';
import { nodeImage } from './node-image.js';
import { openEngine } from './open-engine.js';
import { setUp } from './set-up.js';
import { startContainers } from './start.js';

export interface ContainerOptions {
  /** The user's own image; by default the project's image. */
  image?: string;
  /** Whether the containers get all privileges of their engine. */
  privileged?: boolean;
  /** Whether the lab may continue to run when this process ends. */
  mayOutlive?: boolean;
  /** Called with a line about each slow step and each removal of leftovers. */
  remark?: (line: string) => void;
}

/** The driver for an image. All its labs share the engine and the image that the first lab has prepared. */
export function containerDriver(options: ContainerOptions): LabDriver {
  let prepared: Promise<Prepared> | undefined;
  return {
    name: 'container',
    check: () => checkContainer(options),
    prepare: async () => {
      const { engine, image, version } = await (prepared ??= prepare(options));
      return { engine: `${version}, at ${engine.address.host}`, image };
    },
    open: async (topology, wire) => openLab(await (prepared ??= prepare(options)), options, topology, wire),
  };
}

interface Prepared {
  engine: Engine;
  version: string;
  image: string;
  /** Security modules with which the engine confines containers. */
  confinement: readonly string[];
}

async function prepare({ image, mayOutlive, remark }: ContainerOptions): Promise<Prepared> {
  const { engine, version } = await openEngine(image === undefined);
  if (mayOutlive && !engine.isPlain) throw cannotBeHeld(engine);
  const left = await removeLeftovers(engine);
  if (left.length > 0) remark?.(`removed what a killed run has left: ${left.map(({ name }) => name).join(', ')}`);
  const confinement = await confinementOf(engine);
  return { engine, version: version.version, image: image ?? (await nodeImage(engine, remark)), confinement };
}

/** A detached lab runs as long as its holder has a connection with the engine; no other process can take over a TLS connection. */
function cannotBeHeld({ address }: Engine): MacvlabError {
  return new MacvlabError('LAB_OPEN', `a lab on an engine behind TLS cannot be kept: ${address.host}`, {
    next: 'run without --keep; or bring the engine’s socket here by ssh -L, and name it in DOCKER_HOST',
  });
}

async function openLab(
  { engine, image, confinement }: Prepared,
  options: ContainerOptions,
  topology: Topology,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<Machines> {
  const { privileged = false, mayOutlive = false } = options;
  const lab = randomBytes(4).toString('hex');
  const keys: LabKeys = { host: newKeyPair(), user: newKeyPair() };
  const sessions = new Map<NodeName, Session>();
  let tether: Socket | undefined;
  const close = async () => {
    for (const session of sessions.values()) session.close();
    tether?.destroy();
    await removeLab(engine, lab);
  };
  try {
    const labels = labelsOf(lab, mayOutlive);
    const ownImage = options.image === undefined;
    const started = await startContainers(engine, { lab, image, ownImage, labels, privileged, confinement });
    tether = started.tether;
    const containers = { lab, engine, keys, ids: started.ids };
    const cables = containerCables(topology);
    await setUp(containers, cables);
    const enter = async (nodes: readonly NodeName[]) =>
      Promise.all(nodes.map(async (node) => sessions.set(node, await connectNode(containers, node))));
    const hosts = async () => {
      await enter(['switch', 'node1', 'node2']);
      const all = hostsOf(Object.fromEntries(sessions), cables);
      await wire(all);
      return all;
    };
    const [wired] = await Promise.all([hosts(), enter(['router', 'client'])]);
    const nodes = Object.fromEntries(sessions) as AllSessions;
    return {
      ...(await timesOf(wired, nodes)),
      kernelLog: noKernelLog,
      machine: nodes.switch,
      nodes,
      ssh: sshOf(keys),
      close,
      ...(mayOutlive && {
        detachable: {
          state: {
            ...{ lab, engine: engine.address, keys },
            containers: Object.fromEntries(started.ids),
          } satisfies ContainerState,
          detach: async () => {
            const holder = await startHolder([started.tether]);
            started.tether.unref();
            return holder;
          },
        },
      }),
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

/** The clock part of the machines: nothing to measure if their kernel is the kernel of this machine. */
async function timesOf(hosts: readonly Host[], nodes: AllSessions): Promise<Pick<Machines, 'roundTrip' | 'setClocks'>> {
  const file = '/proc/sys/kernel/random/boot_id';
  const { stdout } = await nodes.switch.run(['cat', file]);
  if (stdout === readFileSync(file, 'utf8')) return noClocks;
  return measuredClocks(hosts, nodes);
}
