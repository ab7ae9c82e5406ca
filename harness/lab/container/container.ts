/**
 * The container lab driver: node1, node2 and the switch are a container each, on any engine that docker's client could reach. They
 * share a process namespace, so that they live and die together, and so that their cables can be laid without any right outside
 * of them (docs/decisions/0009).
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { MacvlabError } from '../../core/error.js';
import { newKeyPair } from '../../remote/keys.js';
import type { Session } from '../../remote/session.js';
import { setClocks } from '../clocks.js';
import type { AllSessions, Host, LabDriver, Machines } from '../driver.js';
import { startKeeper } from '../keepers.js';
import type { LabKeys } from '../sshd.js';
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
  /** An image of somebody else's; by default the project's own. */
  image?: string;
  /** Whether the containers may do all that their engine may. */
  privileged?: boolean;
  /** Whether the lab may be kept when this process ends. */
  mayOutlive?: boolean;
  /** Told what takes time, and what else has been done. */
  remark?: (line: string) => void;
}

/** The driver for an image. What is prepared for the first lab (the engine, the image) serves all others. */
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
  /** Security modules that the engine confines containers with. */
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

/** A kept lab lives by a connection that its keeper holds; what is encrypted cannot be handed to another process. */
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
  let lifeline: Socket | undefined;
  const close = async () => {
    for (const session of sessions.values()) session.close();
    lifeline?.destroy();
    await removeLab(engine, lab);
  };
  try {
    const labels = labelsOf(lab, mayOutlive);
    const ownImage = options.image === undefined;
    const started = await startContainers(engine, { lab, image, ownImage, labels, privileged, confinement });
    lifeline = started.lifeline;
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
      machine: nodes.switch,
      nodes,
      ssh: sshOf(keys),
      close,
      ...(mayOutlive && {
        keep: async () => {
          const keeper = await startKeeper([started.lifeline]);
          started.lifeline.unref();
          const state: ContainerState = {
            ...{ lab, engine: engine.address, keys },
            containers: Object.fromEntries(started.ids),
          };
          return { keeper, state };
        },
      }),
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

/** What there is to know of the machines' clock: nothing where their kernel is the one that we run on. */
async function timesOf(hosts: readonly Host[], nodes: AllSessions): Promise<Partial<Machines>> {
  const file = '/proc/sys/kernel/random/boot_id';
  const { stdout } = await nodes.switch.run(['cat', file]);
  if (stdout === readFileSync(file, 'utf8')) return {};
  const again = async () => {
    await setClocks(hosts, nodes);
  };
  return { roundTrip: await setClocks(hosts, nodes), setClocks: again };
}
