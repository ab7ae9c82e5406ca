/** Tests a switch port, VLAN by VLAN, for reflection. */
import { MacvlabError } from '../core/error.js';
import { readLink, type LinkInfo } from '../link/link-info.js';
import type { AddressRange } from './address-range.js';
import { answerWords, exitOf, portAnswer, type SegmentAnswer } from './answer.js';
import { judge } from './judge.js';
import { newMacRange } from './mac-range.js';
import type { SegmentObservation } from './observation.js';
import { type MaxMacs, observeSegment, type PortUse } from './observe.js';
import type { HostNic } from './segment.js';

/** The port under test, and the parameters of the test. */
export interface ValidateOptions {
  host: HostNic;
  peer?: HostNic | undefined;
  segments: readonly SegmentRequest[];
  forwardDelay: PortUse['forwardDelay'];
  /** Default 2. */
  maxMacs?: MaxMacs | undefined;
  /** Called before the test of each VLAN, and after it. */
  onSegment?: (vlan: SegmentRequest['vlan'], answer?: SegmentAnswer) => void;
  /** Called with the next step in that VLAN, before any step that takes seconds. */
  onStage?: (stage: string) => void;
}

/** One VLAN of the port, with the given addresses. */
export interface SegmentRequest {
  vlan: number | 'untagged';
  range: AddressRange;
  gateway?: string | undefined;
}

/** One VLAN's part of a report. */
export interface SegmentReport extends SegmentAnswer {
  /** The answer as printed on the terminal. */
  words: string;
  observation: SegmentObservation;
}

/** The result, without times and names, which the caller has. */
export interface Validation {
  /** The last line on the terminal. */
  words: string;
  exit: number;
  kind: SegmentAnswer['kind'];
  macs: string;
  frames: number;
  segments: SegmentReport[];
  /** By VLAN, then by capture: "untagged", "h1/eth1 in". */
  pcaps: Map<number | 'untagged', Map<string, Buffer>>;
}

/**
 * Tests each VLAN in turn and judges it. A VLAN cannot be tested if the host cannot create it, or has no free address
 * in it. The answers for the other VLANs do not depend on that.
 * @throws MacvlabError as observeSegment, if no VLAN can be tested, or the host is gone
 */
export async function validatePort(options: ValidateOptions): Promise<Validation> {
  const { host, peer, segments, forwardDelay, maxMacs = 2, onSegment, onStage } = options;
  const macs = newMacRange();
  const links = await Promise.all([host, ...(peer ? [peer] : [])].map(async ({ stack, nic }) => readLink(stack, nic)));
  const use: PortUse = {
    host,
    peer,
    macs,
    ownAddresses: links.flatMap(ipv4Of).map(({ local }) => local),
    forwardDelay,
    maxMacs,
    tell: onStage,
  };
  const pcaps: Validation['pcaps'] = new Map();
  const seen: SegmentObservation[] = [];
  const unasked = new Map<SegmentObservation, MacvlabError>();
  for (const { vlan, range, gateway } of segments) {
    onSegment?.(vlan);
    const prefix = vlan === 'untagged' ? prefixAround(ipv4Of(links[0]), gateway) : undefined;
    const plan = { vlan, range, gateway, prefix, portPasses: seen.some(passes) };
    try {
      const { observation, pcaps: own } = await observeSegment(use, plan);
      seen.push(observation);
      pcaps.set(vlan, own);
      onSegment?.(vlan, judge(observation, { portPasses: plan.portPasses }));
    } catch (error) {
      if (!(error instanceof MacvlabError) || host.stack.session.death.aborted) throw error;
      const nothing = nothingSeen(vlan);
      seen.push(nothing);
      unasked.set(nothing, error);
      onSegment?.(vlan, cannotBeAsked(vlan, error));
    }
  }
  const [first] = unasked.values();
  if (first && unasked.size === seen.length) throw first;
  // A VLAN that passed late affects the answers for those before it.
  const answers = seen.map((each) => {
    const error = unasked.get(each);
    if (error) return cannotBeAsked(each.vlan, error);
    return judge(each, { portPasses: seen.some((other) => other !== each && passes(other)) });
  });
  const answer = portAnswer(answers);
  return {
    words: answerWords(answer),
    exit: exitOf(answer),
    kind: answer.kind,
    macs,
    frames: seen.reduce((sum, { frames }) => sum + frames, 0),
    segments: answers.map((each, index) => ({
      ...each,
      words: answerWords(each),
      observation: observationAt(seen, index),
    })),
    pcaps,
  };
}

/** The observation in a VLAN that could not be tested. */
function nothingSeen(vlan: SegmentRequest['vlan']): SegmentObservation {
  return {
    vlan,
    addresses: { child1: '', child2: '' },
    macs: { nic: '', child1: '', child2: '', unknown: '' },
    ...{ controls: [], classes: [], bpdus: 0, waited: 0, carrier: true, frames: 0, received: 0, duration: 0 },
  };
}

function cannotBeAsked(vlan: SegmentRequest['vlan'], error: MacvlabError): SegmentAnswer {
  const unsupported = error.code === 'LINK_UNSUPPORTED' && vlan !== 'untagged';
  return {
    vlan,
    kind: 'cannot tell',
    what: unsupported ? `the host’s kernel makes no VLANs (${error.message})` : error.message,
    advice: unsupported ? 'give the host’s kernel 802.1Q: on the host, modprobe 8021q' : error.next,
    remarks: [],
    evidence: error.evidence === undefined ? [] : error.evidence.trimEnd().split('\n'),
  };
}

function observationAt(seen: readonly SegmentObservation[], index: number): SegmentObservation {
  const observation = seen[index];
  if (!observation) throw new TypeError(`no observation ${index}`);
  return observation;
}

/** Whether anything passes in a VLAN. */
function passes({ controls }: SegmentObservation): boolean {
  return controls.some(({ answered }) => answered !== 'no');
}

interface Own {
  local: string;
  prefixlen: number;
}

function ipv4Of(link: LinkInfo | undefined): Own[] {
  const own = link?.addr_info ?? [];
  return own.flatMap(({ family, local, prefixlen }) => (family === 'inet' && local ? [{ local, prefixlen }] : []));
}

/** The prefix length of the host's own address in the gateway's subnet, which is the segment's. */
function prefixAround(own: readonly Own[], gateway: string | undefined): number | undefined {
  if (gateway === undefined) return undefined;
  return own.find((each) => sameSubnet(each, gateway))?.prefixlen;
}

function sameSubnet({ local, prefixlen }: Own, address: string): boolean {
  const bits = (text: string) =>
    text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
      .slice(0, prefixlen);
  return bits(local) === bits(address);
}

/** The lines that the command prints before it sends anything. @param count VLANs */
export function statement(
  count: number,
  {
    forwardDelay: { usual, longest },
    maxMacs,
    peer,
  }: Pick<ValidateOptions, 'forwardDelay'> & { maxMacs: MaxMacs; peer: boolean },
): string[] {
  const each = count === 1 ? '' : ' for each VLAN';
  const held = Math.round((2 * usual) / 1000);
  const tree = Math.round((2 * longest) / 1000);
  return [
    `30 to 60 frames${each}, about 10 s; up to 40 s where children are not answered,`,
    `and ${held} s more where nothing passes at first (${tree} s where the switch speaks spanning tree)`,
    `warning: the switch learns ${maxMacs === 1 ? '1 MAC address' : '2 MAC addresses'} on this port beside the NIC's own${peer ? ', and 1 on the peer’s port' : ''};`,
    `port security may shut the port down for that (err-disable), and with it all connections over it, SSH too${maxMacs === 1 ? '' : '; --max-macs 1 uses one'}`,
  ];
}

/** @throws MacvlabError USAGE if a VLAN is given twice, or none */
export function refuseDoubles(segments: readonly SegmentRequest[]): void {
  const names = segments.map(({ vlan }) => String(vlan));
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double === undefined && names.length > 0) return;
  throw new MacvlabError('USAGE', double === undefined ? 'no VLAN is asked about' : `--vlans names ${double} twice`, {
    next: 'name each VLAN once: --vlans untagged,10,20',
  });
}
