/** Hosts reached, their port looked at, and let go again. */
import { guardHosts } from '../lab/inventory/host-guard.js';
import { MacvlabError } from '../core/error.js';
import { lookAtNic } from '../lab/inventory/nic.js';
import { type ReachedHost, reach } from '../lab/inventory/reach.js';
import { CommandLog } from '../remote/command-log.js';
import { newKeyPair } from '../remote/keys.js';
import { NetworkStack } from '../remote/network-stack.js';
import { answerWords, segmentName } from '../switch-port/answer.js';
import type { HostNic } from '../switch-port/segment.js';
import { type ValidateOptions, type Validation, validatePort } from '../switch-port/validate.js';
import type { NamedNic } from './port-arguments.js';

/** How the MAC addresses of whatever we make on hosts begin; the rest is of a run. */
const everyMacRange = '02:6d';

export interface HostsRequest extends Pick<ValidateOptions, 'segments' | 'forwardDelay' | 'maxMacs'> {
  host: NamedNic;
  peer: NamedNic | undefined;
  signal: AbortSignal;
}

/** Whose port it was. */
export interface PortAbout {
  host: string;
  nic: string;
  peer?: string;
  kernel: string;
}

/**
 * Reaches the hosts and asks the port. Whatever comes of it, nothing is left on them.
 * @throws MacvlabError HOST_*; as validatePort; INTERRUPTED
 */
export async function validateHosts(
  { host, peer, segments, forwardDelay, maxMacs, signal }: HostsRequest,
  tell: (line: string) => void,
): Promise<{ validation: Validation; about: PortAbout }> {
  const reached: ReachedHost[] = [];
  const reachNic = async ({ address, nic }: NamedNic): Promise<HostNic> => {
    const held = await reach(address, { keys: { host: newKeyPair(), user: newKeyPair() }, signal });
    reached.push(held);
    await lookAtNic(held, nic).catch(onCommandLine);
    return { stack: new NetworkStack(address.name, held.session, new CommandLog()), nic };
  };
  try {
    const all = await Promise.allSettled([host, ...(peer ? [peer] : [])].map(reachNic));
    const [own, other] = all.map((each) => {
      if (each.status === 'rejected') throw each.reason as Error;
      return each.value;
    });
    if (!own) throw new TypeError('no host was reached');
    const guarded = reached.map((each) => ({
      reached: each,
      own: undefined,
      nic: each.address === host.address ? host.nic : peer?.nic,
    }));
    const guard = await guardHosts(guarded, { allowCut: false, macRange: everyMacRange, networks: [] });
    const validation = await validatePort({
      ...{ host: own, peer: other, segments, forwardDelay, maxMacs },
      onSegment: (vlan, answer) => {
        if (answer) tell(`${segmentName(vlan)}: ${answerWords(answer)}`);
        else tell(`${segmentName(vlan)} …`);
      },
    });
    await guard.end();
    const about = {
      host: host.address.name,
      nic: host.nic,
      ...(peer && { peer: `${peer.address.name}:${peer.nic}` }),
      kernel: reached.find(({ address }) => address === host.address)?.release ?? '',
    };
    return { validation, about };
  } catch (error) {
    signal.throwIfAborted();
    // Whatever failed for want of a connection, that is what has happened.
    const dead = reached.find(({ session }) => session.death.aborted);
    if (dead) throw withoutUndo(dead.session.death.reason);
    throw error;
  } finally {
    await Promise.all(reached.map((each) => each.close()));
  }
}

/** What is wrong with a NIC is told to whom named it in an inventory; here it was an option. */
function onCommandLine(error: unknown): never {
  if (!(error instanceof MacvlabError) || error.code !== 'HOST_NIC') throw error;
  const { code, message, evidence, next, cause } = error;
  throw new MacvlabError(code, message, { evidence, next: next.replace('nic in the inventory', '--nic'), cause });
}

/** Nothing of a host's own is changed here, so that `macvlab gc` would find nothing to take back. */
function withoutUndo(error: unknown): unknown {
  if (!(error instanceof MacvlabError) || error.code !== 'HOST_LOST') return error;
  const { code, message, evidence, cause } = error;
  return new MacvlabError(code, message, {
    evidence,
    next: 'nothing has to be taken back: what was made there goes by itself within two minutes; see whether the host answers, and ask again then',
    cause,
  });
}
