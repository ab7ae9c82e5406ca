/** The labels of a lab's containers. The commands that end a lab or remove leftovers identify the containers by these labels. */
import { readFileSync, readlinkSync } from 'node:fs';
import { stateFolder } from '../detached/detached-labs.js';
import { identify, isRunning } from '../../core/process-identity.js';
import type { ListedContainer } from './containers.js';

/** A lab's own id: 8 hexadecimal digits. Every container with this label is macvlab's. */
export const labLabel = 'macvlab.lab';

/** The process that created the lab: its id and start time. */
const makerLabel = 'macvlab.maker';

/** Where that process runs: the kernel's boot and the PID namespace. Elsewhere its id is meaningless. */
const homeLabel = 'macvlab.home';

/** The folder for the state of a lab that may outlive the process that created it. */
const stateLabel = 'macvlab.state';

/** The labels of all containers of a lab. @param mayOutlive whether the lab may be detached */
export function labelsOf(lab: string, mayOutlive: boolean): Record<string, string> {
  const maker = identify(process.pid);
  return {
    [labLabel]: lab,
    [makerLabel]: `${process.pid} ${maker?.startTime}`,
    [homeLabel]: home(),
    ...(mayOutlive && { [stateLabel]: stateFolder() }),
  };
}

function home(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** Seconds after which a container that does not run counts as abandoned, if a process elsewhere created it: an hour. */
const abandonedAfter = 3600;

/**
 * Whether the process that created a container of macvlab is gone. The container may still belong to a detached lab. A
 * running container that was created elsewhere is not an orphan: it ends with the connection of its creator or holder.
 */
export function isOrphan({ labels, state, created }: ListedContainer): boolean {
  const { [labLabel]: lab, [makerLabel]: maker = '', [homeLabel]: from, [stateLabel]: states } = labels;
  if (lab === undefined) return false;
  const running = ['running', 'paused', 'restarting'].includes(state);
  if (from !== home()) return !running && Date.now() / 1000 - created > abandonedAfter;
  const [pid = 0, startTime = 0] = maker.split(' ').map(Number);
  if (isRunning({ pid, startTime })) return false;
  // The state of a detached lab may be in a folder that this process cannot read. Such a lab ends with its holder.
  return !(running && states !== undefined && states !== stateFolder());
}
