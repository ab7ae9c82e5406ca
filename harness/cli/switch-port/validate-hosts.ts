/** Connects to the hosts, tests their port, and disconnects. */
import { guardHosts } from '../../machine/inventory/restore/host-guard.js';
import { MacvlabError } from '../../core/error.js';
import { refuseTwins } from '../../machine/inventory/find-hosts.js';
import { lookAtNic } from '../../machine/inventory/nic.js';
import { type ReachedHost, reach } from '../../machine/inventory/reach/reach.js';
import { CommandLog } from '../../remote/command-log.js';
import { newKeyPair } from '../../remote/keys.js';
import { NetworkStack } from '../../remote/network-stack.js';
import { answerWords, segmentName } from '../../switch-port/answer.js';
import type { HostNic } from '../../switch-port/segment.js';
import { type ValidateOptions, type Validation, validatePort } from '../../switch-port/validate.js';
import type { NamedNic } from './port-arguments.js';

/** The prefix of the MAC addresses of everything that we create on hosts. The rest differs from run to run. */
const everyMacRange = '02:6d';

export interface HostsRequest extends Pick<ValidateOptions, 'segments' | 'forwardDelay' | 'maxMacs'> {
  host: NamedNic;
  peer: NamedNic | undefined;
  signal: AbortSignal;
}

/** The host and the NIC at the tested port. */
export interface PortAbout {
  host: string;
  nic: string;
  peer?: string;
  kernel: string;
}

/**
 * Connects to the hosts and tests the port. In every case, it leaves nothing on them.
 * @throws MacvlabError HOST_*; as validatePort; INTERRUPTED
 */
export async function validateHosts(
  { host, peer, segments, forwardDelay, maxMacs, signal }: HostsRequest,
  tell: (line: string) => void,
): Promise<{ validation: Validation; about: PortAbout }> {
  const reached: ReachedHost[] = [];
  const reachNic = async ({ address, nic }: NamedNic): Promise<HostNic> => {
    const keys = { host: newKeyPair(), user: newKeyPair() };
    const held = await reach(address, { keys, signal }).catch(inCommandWords);
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
    await refuseTwins(reached).catch(() => {
      throw new MacvlabError('USAGE', 'the peer is the host itself, reached by two names', {
        next: 'name another host on the segment: --peer HOST:NIC; or leave --peer out, and name a gateway',
      });
    });
    const guarded = reached.map((each) => ({
      reached: each,
      own: undefined,
      nic: each.address === host.address ? host.nic : peer?.nic,
    }));
    const guard = await guardHosts(guarded, { allowDisconnect: false, macRange: everyMacRange, networks: [] });
    const validation = await validatePort({
      ...{ host: own, peer: other, segments, forwardDelay, maxMacs },
      onStage: (stage) => tell(`  ${stage}`),
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
    // If a connection was lost, its loss is the cause of any other error.
    const dead = reached.find(({ session }) => session.death.aborted);
    if (dead) throw withoutUndo(dead.session.death.reason);
    throw error;
  } finally {
    await Promise.all(reached.map((each) => each.close()));
  }
}

/** An error of a NIC refers to an inventory. This adapts it to the command-line option. */
function onCommandLine(error: unknown): never {
  if (!(error instanceof MacvlabError) || error.code !== 'HOST_NIC') throw error;
  throw withNext(error, error.next.replace('nic in the inventory', '--nic'));
}

/** An error of reaching a host refers to an inventory too. */
function inCommandWords(error: unknown): never {
  if (!(error instanceof MacvlabError)) throw error;
  const { next } = error;
  const words = next
    .replaceAll('give user: root', 'log in as root: --host root@…')
    .replace(', or let it become root by sudo: sudo: true', '')
    .replace('identity in the inventory, or --identity', '--identity')
    .replace('give the right user and identity', 'give the right user (--host USER@…) and --identity');
  throw withNext(error, words);
}

function withNext({ code, message, evidence, cause }: MacvlabError, next: string): MacvlabError {
  return new MacvlabError(code, message, { evidence, next, cause });
}

/** Replaces the advice: nothing of a host's own is changed here, so that `macvlab gc` would find nothing to restore. */
function withoutUndo(error: unknown): unknown {
  if (!(error instanceof MacvlabError) || error.code !== 'HOST_LOST') return error;
  const { code, message, evidence, cause } = error;
  return new MacvlabError(code, message, {
    evidence,
    next: 'nothing has to be taken back: what was made there goes by itself within two minutes; see whether the host answers, and ask again then',
    cause,
  });
}
