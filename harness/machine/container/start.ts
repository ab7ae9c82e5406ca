/** Starts a lab's containers through testcontainers. Only this file loads testcontainers. */
import type { Socket } from 'node:net';
import type * as Testcontainers from 'testcontainers';
import { MacvlabError, messageOf } from '../../core/error.js';
import { type MachinePlace, threeMachines } from '../places.js';
import { attachInput } from './containers.js';
import type { Engine } from './engine.js';
import { markOf } from './setup-script.js';

/**
 * The only capabilities of a container. They allow links and packets; mounts and namespaces; sshd's steps before a
 * login (a chroot, and another user in it); and an sshd on port 22 of the lab's own links. docker allows that port to
 * every process in a container; podman does not.
 */
const capabilities = [
  ...['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN'],
  ...['SYS_CHROOT', 'SETUID', 'SETGID', 'NET_BIND_SERVICE'],
];

export interface StartOptions {
  /** The lab's id, which is in the containers' names. */
  lab: string;
  image: string;
  /** Whether it is the project's image. */
  ownImage: boolean;
  labels: Readonly<Record<string, string>>;
  /** Whether the containers get all privileges of the engine. */
  privileged: boolean;
  /** Security modules with which the engine confines containers. */
  confinement: readonly string[];
}

/** A lab's containers. */
export interface StartedContainers {
  /** Ids by the places' names. */
  ids: ReadonlyMap<string, string>;
  /**
   * Standard input of the switch's first process. When it ends, because it is closed or its last holder has died, that
   * process ends. Then the kernel ends all processes in all three containers, and the engine removes the containers.
   */
  tether: Socket;
}

/** Reads to the end of its input, and then ends. Its parent is a shell, which reaps orphans (wait(2)). */
const untilEndOfInput = ['sh', '-c', 'cat >/dev/null; exit 0'];

/** Any command that does nothing for long enough is suitable; it ends with the switch's first process. */
const forLong = ['sleep', '2147483647'];

/**
 * Starts the containers. The switch's is the first; the others share its process namespace.
 * @throws MacvlabError ENGINE_REFUSED with the engine's message; containers that exist by then are not removed
 */
export async function startContainers(engine: Engine, options: StartOptions): Promise<StartedContainers> {
  const { GenericContainer } = await loadTestcontainers(engine);

  class NodeContainer extends GenericContainer {
    tether: Socket | undefined;

    constructor({ name }: MachinePlace, shared?: string) {
      super(options.image);
      this.withName(`macvlab-${options.lab}-${name}`)
        .withLabels({ ...options.labels })
        .withHostname(name)
        .withUser('0')
        .withWorkingDir('/')
        .withEntrypoint(shared === undefined ? untilEndOfInput : forLong)
        .withNetworkMode('none')
        .withTmpFs({ '/run': 'rw,nosuid,nodev,mode=755', [markOf(options.lab)]: 'ro,size=4k' })
        // The tether ends the containers of a killed run. testcontainers' reaper is not needed, and it would need a
        // port.
        .withAutoCleanup(false);
      if (options.privileged) this.withPrivilegedMode();
      else this.withDroppedCapabilities('ALL').withAddedCapabilities(...capabilities);
      this.withSecurityOpt(...unconfined(options.confinement));
      this.hostConfig.AutoRemove = true;
      if (shared === undefined) Object.assign(this.createOpts, { OpenStdin: true, StdinOnce: true });
      else this.hostConfig.PidMode = `container:${shared}`;
    }

    protected override async containerCreated(id: string): Promise<void> {
      // Before the container runs: its input must have a holder from the beginning.
      if (!this.createOpts.OpenStdin) return;
      this.tether = await attachInput(engine, id);
      this.tether.on('error', () => undefined).resume();
    }
  }

  const [home, ...others] = threeMachines;
  const first = new NodeContainer(home);
  try {
    const shared = (await start(first, home, options)).getId();
    const { tether } = first;
    if (!tether) throw new TypeError('no process holds the containers');
    const starting = others.map(async (place) => {
      const started = await start(new NodeContainer(place, shared), place, options);
      return [place.name, started.getId()] as const;
    });
    // All must exist before the others are removed.
    await Promise.allSettled(starting);
    return { ids: new Map([[home.name, shared], ...(await Promise.all(starting))]), tether };
  } catch (error) {
    first.tether?.destroy();
    throw error;
  }
}

/** Lifts AppArmor's profile for containers and SELinux's policy, because both forbid mounts. Lifts nothing else. */
function unconfined(confinement: readonly string[]): string[] {
  return [
    ...(confinement.includes('apparmor') ? ['apparmor=unconfined'] : []),
    ...(confinement.includes('selinux') ? ['label=disable'] : []),
  ];
}

async function start<T>(
  container: { start(): Promise<T> },
  { name }: MachinePlace,
  { image, privileged, ownImage }: StartOptions,
): Promise<T> {
  try {
    return await container.start();
  } catch (error) {
    if (error instanceof MacvlabError) throw error;
    const weak =
      'an engine that may not give capabilities away itself cannot carry this lab: use --lab sandbox, or --lab vm';
    const foreign = `see that the engine has the image, or can fetch it, and that there is a shell in it: docker pull ${image}`;
    throw new MacvlabError('ENGINE_REFUSED', `the container engine could not start ${name} from the image ${image}`, {
      evidence: messageOf(error).trim(),
      next: privileged ? 'leave --privileged out: few rights are enough' : ownImage ? weak : foreign,
      cause: error,
    });
  }
}

/**
 * testcontainers searches for an engine only once, in another order than docker's client; the environment gives it the
 * engine that macvlab has found. It would also start a container to find the address of containers' ports; a lab's
 * containers have no ports.
 */
async function loadTestcontainers({ address: { host, certificates } }: Engine): Promise<typeof Testcontainers> {
  Object.assign(process.env, {
    DOCKER_HOST: host,
    ...(certificates !== undefined && { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates }),
    TESTCONTAINERS_HOST_OVERRIDE: 'localhost',
  });
  return import('testcontainers');
}
