/**
 * The Vagrant lab driver: node1, node2 and the switch are machines of the Vagrantfile. On each machine, the whole lab
 * is in namespaces that end with its connection. Its end leaves the machines as they were before (docs/decisions/0011).
 */
import { MacvlabError } from '../../core/error.js';
import { timeout } from '../../core/wait.js';
import { newKeyPair } from '../../remote/keys.js';
import type { Session } from '../../remote/session.js';
import { measuredClocks } from '../clocks.js';
import { type AllSessions, type Host, type LabDriver, type Machines, noKernelLog } from '../driver.js';
import { knownAcceleration } from '../qemu/acceleration.js';
import { machineBoot } from '../qemu/machine-boot.js';
import { startHolder } from '../detached/holders.js';
import { makeLabFolder, noteProcess, removeLabFolder } from '../detached/detached-labs.js';
import { threeMachines } from '../places.js';
import { leave } from '../../remote/ssh-way.js';
import type { LabKeys } from '../../remote/sshd.js';
import { nodeNames, type NodeName, type Topology } from '../topology.js';
import type { VagrantState } from './attach.js';
import { box } from './box.js';
import { checkVagrant } from './check.js';
import { claimMachines, identityOf, releaseClaim, updateClaim, vagrantEnd } from './claim.js';
import { connectNode, setUpMachine, type SetUpMachine, sshOf } from './connect.js';
import { cardsOf } from './machines.js';
import { writePrepared } from './prepared.js';
import { ownBox, readSettings, type Settings, variableOf } from './settings.js';
import { allAre, type MachineStates, machineStates } from './states.js';
import { vagrant, vagrantProgram } from './vagrant-program.js';
import { findWayIn } from './way-in.js';
import { destroyMachines } from './destroy.js';

export interface VagrantOptions {
  /** The kernel of macvlab's own box, as for guests. */
  kernel?: string;
  modules?: string;
  /** Whether the lab may be detached from this process. */
  mayOutlive?: boolean;
  remark?: (line: string) => void;
}

/** Creates the driver. All labs use the kernel and box that it prepares for the first one. */
export function vagrantDriver(options: VagrantOptions): LabDriver {
  let prepared: Promise<Prepared> | undefined;
  return {
    name: 'vagrant',
    // There is one set of machines in a checkout, and so one lab at a time.
    processors: Number.MAX_SAFE_INTEGER,
    check: () => checkVagrant(options),
    prepare: async () => (await (prepared ??= prepare(options))).found,
    open: async (topology, wire) => openLab(await (prepared ??= prepare(options)), options, topology, wire),
  };
}

interface Prepared {
  /** Variables for Vagrant's environment. */
  environment: Record<string, string>;
  /** The kernel release that the machines must have; undefined if their box has its own kernel. */
  release: string | undefined;
  /** The factor by which the machines are slower than usual. */
  slowness: number;
  /** The prepared things, by name, for display to the user. */
  found: Record<string, string>;
}

async function prepare(options: VagrantOptions): Promise<Prepared> {
  vagrantProgram();
  const settings = readSettings();
  refuseBridge(settings);
  const { box: chosen, driver } = settings;
  const kernel = options.kernel ?? (settings.kernel || undefined);
  if (chosen !== ownBox) {
    if (kernel !== undefined) throw kernelIsGiven(chosen);
    const isEmulated = driver === 'qemu' || knownAcceleration()?.kind !== 'kvm';
    return { environment: {}, release: undefined, slowness: isEmulated ? 4 : 1, found: { box: chosen } };
  }
  const { modules, remark } = options;
  const given = { ...(kernel !== undefined && { kernel }), ...(modules !== undefined && { modules }) };
  const boot = await machineBoot({ ...given, ...(remark && { remark }) });
  const made = await box({ onProgress: remark });
  const { release, initramfs: initrd } = boot;
  const { name, file } = made;
  writePrepared(kernel, { box: name, file, kernel: boot.kernel, initrd, arguments: boot.arguments, release });
  const kind = driver === 'auto' || driver === '' ? boot.acceleration.kind : driver === 'kvm' ? 'kvm' : 'tcg';
  remark?.(`machines run ${boot.name} with ${kind.toUpperCase()} (${boot.acceleration.why})`);
  return {
    environment: {
      [variableOf('kernel')]: kernel ?? '',
      [variableOf('driver')]: kind === 'kvm' ? 'kvm' : 'qemu',
    },
    release,
    slowness: kind === 'tcg' ? boot.slowness : 1,
    found: {
      kernel: boot.name,
      box: `${name} (${file})`,
      acceleration: `${kind.toUpperCase()} (${boot.acceleration.why})`,
    },
  };
}

function refuseBridge({ bridge }: Settings): void {
  if (bridge.trim() === '') return;
  throw new MacvlabError('USAGE', `the nodes’ cables lead to the cards ${bridge}, and not to the lab’s switch`, {
    next: 'empty the setting bridge (vagrant/settings.yaml, MACVLAB_VAGRANT_BRIDGE), then vagrant destroy -f',
  });
}

function kernelIsGiven(chosen: string): MacvlabError {
  return new MacvlabError('USAGE', `the box ${chosen} brings its own kernel: no other can be chosen`, {
    next: 'leave --kernel out, or use the box that can: MACVLAB_VAGRANT_BOX=macvlab',
  });
}

/** Creates a folder for the lab's files; if that fails, releases the claim on the machines. */
function labFolder(): string {
  try {
    return makeLabFolder();
  } catch (error) {
    releaseClaim();
    throw error;
  }
}

async function openLab(
  prepared: Prepared,
  options: VagrantOptions,
  topology: Topology,
  wire: (hosts: readonly Host[]) => Promise<void>,
): Promise<Machines> {
  const { mayOutlive = false, remark } = options;
  const { environment, slowness } = prepared;
  const left = await claimMachines();
  const keys: LabKeys = { host: newKeyPair(), user: newKeyPair() };
  const folder = labFolder();
  const sessions = new Map<NodeName, Session>();
  const held: SetUpMachine[] = [];
  let made = left?.made ?? false;
  const letGo = async () => {
    for (const session of sessions.values()) session.close();
    await Promise.all(held.map(async (machine) => leave(machine.held, slowness)));
    removeLabFolder(folder);
  };
  const close = async () => {
    await letGo();
    if (made) await destroyMachines(environment);
    releaseClaim();
  };
  try {
    if (left?.made) {
      // They may be half created; no other process needs them.
      remark?.('removing the Vagrant machines of a run that was killed');
      updateClaim({ made });
      await vagrantEnd(left);
      await destroyMachines(environment);
    }
    const states = await machineStates(environment);
    made = allAre(states, 'not_created');
    // Recorded before the start, so that a later run finds the machines of a killed run.
    updateClaim({ made });
    await bringUp(states, { environment, slowness }, remark);
    const way = await findWayIn(folder, environment);
    const settings = { keys, topology, outlives: mayOutlive, slowness };
    const starting = threeMachines.map(async (place) => {
      const machine = await setUpMachine(way, place, settings);
      held.push(machine);
      if (mayOutlive && machine.held.child.pid !== undefined) noteProcess(folder, machine.held.child.pid);
      if (prepared.release !== undefined && machine.release !== prepared.release)
        throw otherKernel(prepared.release, machine.release);
      return [place.name, machine.init] as const;
    });
    await Promise.allSettled(starting);
    const inits = Object.fromEntries(await Promise.all(starting));
    const placed = { way, keys, inits, slowness };
    await Promise.all(nodeNames.map(async (node) => sessions.set(node, await connectNode(placed, node))));
    const nodes = Object.fromEntries(sessions) as AllSessions;
    const hosts = threeMachines.map((place): Host => ({
      ...place,
      session: nodes[place.own],
      cards: cardsOf(place, topology),
    }));
    await wire(hosts);
    return {
      machine: nodes.switch,
      nodes,
      ssh: sshOf(keys),
      ...(await measuredClocks(hosts, nodes)),
      kernelLog: noKernelLog,
      close,
      ...(mayOutlive && {
        detachable: {
          state: { folder, keys, slowness, inits, made, environment } satisfies VagrantState,
          detach: async () => {
            const holder = await startHolder(held.map((machine) => machine.held.socket));
            for (const machine of held) {
              machine.held.socket.unref();
              machine.held.child.stderr?.destroy();
              machine.held.child.unref();
            }
            updateClaim({ owner: identityOf(holder) });
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

/** Starts the machines that do not run. */
async function bringUp(
  states: MachineStates,
  { environment, slowness }: Pick<Prepared, 'environment' | 'slowness'>,
  remark?: (line: string) => void,
): Promise<void> {
  if (allAre(states, 'running')) {
    remark?.('the Vagrant machines are running already: they are used, and left running');
    return;
  }
  remark?.(
    allAre(states, 'not_created')
      ? 'bringing up three Vagrant machines'
      : 'bringing up the Vagrant machines that there are; they are left running',
  );
  const onStart = (pid: number) => updateClaim({ vagrant: identityOf(pid) });
  const silence = timeout(120_000) * slowness;
  await vagrant(['up'], { what: 'bring the machines up', environment, onStart, silence });
}

function otherKernel(wanted: string, running: string): MacvlabError {
  return new MacvlabError('LAB_OPEN', `the Vagrant machines run the kernel ${running}, and ${wanted} is wanted`, {
    next: 'remove them, and they are made anew: vagrant destroy -f',
  });
}
