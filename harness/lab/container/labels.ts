/** How a lab's containers are marked, so that they are known again: by who ends a lab, and by who clears away. */
import { readFileSync, readlinkSync } from 'node:fs';
import { stateFolder } from '../kept.js';
import { identify, isRunning } from '../process-identity.js';
import type { ListedContainer } from './containers.js';

/** A lab's own id: 8 hexadecimal digits. Whatever has it is ours. */
export const labLabel = 'macvlab.lab';

/** The process that made the lab: its id and start time. */
const makerLabel = 'macvlab.maker';

/** Where that process runs: the kernel's boot and the PID namespace. Elsewhere its id says nothing. */
const homeLabel = 'macvlab.home';

/** The folder in which a lab that may outlive its maker would have its state. */
const stateLabel = 'macvlab.state';

/** The labels of all that is made for a lab. @param mayOutlive whether it may be kept */
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

/** Seconds after which a container that was made and does not run is taken for abandoned, whoever made it: an hour. */
const abandonedAfter = 3600;

/**
 * Whether nobody looks after a container of ours any more, unless its lab was kept. One made from elsewhere is left alone while
 * it runs: it ends with its maker's connection, or with its keeper's.
 */
export function isOrphan({ labels, state, created }: ListedContainer): boolean {
  const { [labLabel]: lab, [makerLabel]: maker = '', [homeLabel]: from, [stateLabel]: states } = labels;
  if (lab === undefined) return false;
  const running = ['running', 'paused', 'restarting'].includes(state);
  if (from !== home()) return !running && Date.now() / 1000 - created > abandonedAfter;
  const [pid = 0, startTime = 0] = maker.split(' ').map(Number);
  if (isRunning({ pid, startTime })) return false;
  // The state of a kept lab may lie in a folder that is not ours to read: its keeper is what it lives by.
  return !(running && states !== undefined && states !== stateFolder());
}
