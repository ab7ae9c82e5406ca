/** Starting a lab's containers, through testcontainers, which is loaded here and nowhere else. */
import type { Socket } from 'node:net';
import type * as Testcontainers from 'testcontainers';
import { MacvlabError, messageOf } from '../../core/error.js';
import { type MachinePlace, threeMachines } from '../places.js';
import { attachInput } from './containers.js';
import type { Engine } from './engine.js';
import { markOf } from './setup-script.js';

/**
 * What is allowed to a container beside the engine's confinement, and nothing else is: links and packets; mounts and
 * namespaces; what sshd does before it lets somebody in (a chroot, and another user there); and an sshd on port 22 of the lab's
 * own wire, which docker allows to everybody in a container, and podman does not.
 */
const capabilities = [
  ...['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN'],
  ...['SYS_CHROOT', 'SETUID', 'SETGID', 'NET_BIND_SERVICE'],
];

export interface StartOptions {
  /** The lab's id, which is in the containers' names. */
  lab: string;
  image: string;
  /** Whether that is the project's own. */
  ownImage: boolean;
  labels: Readonly<Record<string, string>>;
  /** All that the engine itself may do. */
  privileged: boolean;
  /** Security modules that the engine confines containers with. */
  confinement: readonly string[];
}

/** A lab's containers. */
export interface StartedContainers {
  /** Ids by the places' names. */
  ids: ReadonlyMap<string, string>;
  /**
   * Standard input of the switch's first process: when it ends, because it is closed or its last holder has died, that process ends,
   * the kernel ends everything in all three containers, and the engine removes them.
   */
  lifeline: Socket;
}

/** Reads to the end of its input, and then ends; a shell in front of it reaps whatever is left to it (wait(2)). */
const untilEndOfInput = ['sh', '-c', 'cat >/dev/null; exit 0'];

/** Any command that does nothing for long enough would do; it ends with the switch's first process. */
const forLong = ['sleep', '2147483647'];

/**
 * Starts the containers: the switch's first, whose process namespace the others share.
 * @throws MacvlabError ENGINE_REFUSED with the engine's words; what was made by then is still there
 */
export async function startContainers(engine: Engine, options: StartOptions): Promise<StartedContainers> {
  const { GenericContainer } = await loadTestcontainers(engine);

  class NodeContainer extends GenericContainer {
    lifeline: Socket | undefined;

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
        // What a lab leaves when its maker is killed ends by itself (see lifeline): no reaper is needed, which would need a port.
        .withAutoCleanup(false);
      if (options.privileged) this.withPrivilegedMode();
      else this.withDroppedCapabilities('ALL').withAddedCapabilities(...capabilities);
      this.withSecurityOpt(...unconfined(options.confinement));
      this.hostConfig.AutoRemove = true;
      if (shared === undefined) Object.assign(this.createOpts, { OpenStdin: true, StdinOnce: true });
      else this.hostConfig.PidMode = `container:${shared}`;
    }

    protected override async containerCreated(id: string): Promise<void> {
      // Before it runs: its input must have a holder from the beginning.
      if (!this.createOpts.OpenStdin) return;
      this.lifeline = await attachInput(engine, id);
      this.lifeline.on('error', () => undefined).resume();
    }
  }

  const [home, ...others] = threeMachines;
  const first = new NodeContainer(home);
  try {
    const shared = (await start(first, home, options)).getId();
    const { lifeline } = first;
    if (!lifeline) throw new TypeError('nobody holds the containers');
    const starting = others.map(async (place) => {
      const started = await start(new NodeContainer(place, shared), place, options);
      return [place.name, started.getId()] as const;
    });
    // None must still be being made when the others are removed.
    await Promise.allSettled(starting);
    return { ids: new Map([[home.name, shared], ...(await Promise.all(starting))]), lifeline };
  } catch (error) {
    first.lifeline?.destroy();
    throw error;
  }
}

/** Mounting is what AppArmor's profile for containers forbids, and what SELinux's policy does; nothing else is lifted. */
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
 * testcontainers finds an engine by itself, in another order than docker's client, and once: it is told ours. It would also look
 * for the address at which containers' ports can be reached, by starting a container; ours have none.
 */
async function loadTestcontainers({ address: { host, certificates } }: Engine): Promise<typeof Testcontainers> {
  Object.assign(process.env, {
    DOCKER_HOST: host,
    ...(certificates !== undefined && { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates }),
    TESTCONTAINERS_HOST_OVERRIDE: 'localhost',
  });
  return import('testcontainers');
}
