/** Observes one VLAN of a switch port: sends requests and frames, and counts. judge.ts interprets the counts. */
import { pause } from '../core/wait.js';
import { Scope } from '../core/scope.js';
import { readLink } from '../link/link-info.js';
import { anyFrame } from '../wire/pattern.js';
import { type AddressRange, candidates, leftOut, prefixOf, type RangeUse } from './address-range.js';
import { ask, askAsNic, type AskOptions, askPromiscuously, type Target } from './ask.js';
import { countClass } from './count-frames.js';
import { freeAddresses } from './free-addresses.js';
import { Listening } from './listening.js';
import { type MacRange, macOf, solicitedNodeOf } from './mac-range.js';
import type { ClassObservation, Control, SegmentObservation } from './observation.js';
import { pauseBehind } from './pace.js';
import { type Base, type Child, hasIpv6, type HostNic, group, makeBase, makeChild, treeGroups } from './segment.js';
import { sendClasses, type SentClass } from './send-classes.js';

/** The port under test, and the means of the test. */
export interface PortUse {
  host: HostNic;
  /** Another host on the segment, where forwarded frames arrive. */
  peer?: HostNic | undefined;
  macs: MacRange;
  /** The hosts' own addresses on the segment. */
  ownAddresses: readonly string[];
  /**
   * Milliseconds of a port in each of listening and learning before it passes frames (802.1D, 8.10.2: 15 s, 30 s at
   * most).
   */
  forwardDelay: { usual: number; longest: number };
  /**
   * How many MAC addresses the host's port may learn besides the NIC's own. With one, the second child sends nothing,
   * and unicast to a learned address is not tried.
   */
  maxMacs: MaxMacs;
  /** Called with a few words about the next step, before any step that takes seconds. */
  tell?: ((stage: string) => void) | undefined;
}

export type MaxMacs = 1 | 2;

/** The parameters of the test in one VLAN. */
export interface SegmentPlan {
  vlan: number | 'untagged';
  range: AddressRange;
  gateway?: string | undefined;
  /** The segment's prefix length, if it is known. */
  prefix?: number | undefined;
  /** Whether another VLAN has passed on this port: then it is not a new port that still waits. */
  portPasses: boolean;
}

/** The observations, with the frames themselves. */
export interface SeenSegment {
  observation: SegmentObservation;
  pcaps: Map<string, Buffer>;
}

/** Milliseconds for a switch to send a spanning tree message: two of the longest hello times would be 20 s; 2 s are usual. */
const hello = 6000;

/**
 * Observes one VLAN. Everything is created in namespaces of its own, and removed at the end.
 * @throws MacvlabError HOST_ADDRESSES, LINK_*, CAPTURE_*, PROBE_UNREADABLE; REMOTE_DEAD, HOST_LOST
 */
export async function observeSegment(use: PortUse, plan: SegmentPlan): Promise<SeenSegment> {
  const scope = new Scope(`VLAN ${plan.vlan}`);
  try {
    const seen = await new Observing(use, plan, scope).perform();
    await scope.close();
    return seen;
  } catch (error) {
    // On a lost host, changes that cannot be undone end with its tether. The cause of the loss is the better error.
    await scope.close().catch(() => undefined);
    throw error;
  }
}

/** The means of the children's test. */
interface Segment {
  targets: readonly Target[];
  /** The addresses of the first and the second child. */
  addresses: readonly [string, string];
  /** Addresses of the range that our other children use. */
  taken: readonly string[];
  peerChild: { child: Child; address: string } | undefined;
}

class Observing {
  readonly #use: PortUse;
  readonly #plan: SegmentPlan;
  readonly #scope: Scope;
  readonly #controls: Control[] = [];
  #asked = 0;

  constructor(use: PortUse, plan: SegmentPlan, scope: Scope) {
    this.#use = use;
    this.#plan = plan;
    this.#scope = scope;
  }

  async perform(): Promise<SeenSegment> {
    const began = performance.now();
    const { host, peer, macs } = this.#use;
    const { vlan } = this.#plan;
    const base = await makeBase(host, vlan, this.#scope);
    const listening = await Listening.open(host, peer, macs, this.#scope);
    const peerChild = peer && (await this.#makePeer(peer, this.#mac(4)));
    const targets = this.#targets(peerChild && { address: peerChild.address, mac: this.#mac(4) });
    const waited = await this.#untilPassing(base, listening, targets);
    const taken = peerChild ? [peerChild.address] : [];
    const [one = '', two = ''] = await this.#freeAddresses(base, 2, taken);
    const sent = await this.#asChildren(base, listening, { targets, addresses: [one, two], taken, peerChild });
    await listening.settle();
    const lost = await listening.lost();
    const link = await readLink(host.stack, host.nic);
    const own = [this.#mac(1), this.#mac(2), this.#mac(3)] as const;
    const observation: SegmentObservation = {
      vlan,
      addresses: { child1: one, child2: two, ...(peerChild && { peer: peerChild.address }) },
      macs: { nic: link.address ?? '', child1: own[0], child2: own[1], unknown: own[2] },
      controls: this.#controls,
      classes: sent.map((each) => countSent(each, listening)),
      bpdus: listening.bpdus,
      waited,
      carrier: link.flags.includes('LOWER_UP'),
      ...(lost !== undefined && { lost }),
      frames: this.#asked + ownFrames(listening, own),
      received: listening.received(own),
      duration: performance.now() - began,
    };
    return { observation, pcaps: listening.pcaps() };
  }

  /** Creates the children one after the other, since the order in which a port learns them may matter; sends requests, and frames of all classes. */
  async #asChildren(
    base: Base,
    listening: Listening,
    { targets, addresses, taken, peerChild }: Segment,
  ): Promise<SentClass[]> {
    const ipv6 = await hasIpv6(base.home);
    const prefix = prefixOf(this.#plan.range, this.#rangeUse(taken));
    const make = async (name: string, number: number, groups: readonly string[]) => {
      const address = number > this.#use.maxMacs ? undefined : addresses[number - 1];
      const more = address === undefined ? { ipv6: false } : { address: `${address}/${prefix}`, ipv6 };
      const child = await makeChild(base, { name, mac: this.#mac(number), groups, ...more }, this.#scope);
      listening.add(child.wire);
      return child;
    };
    // More frames make a loop worse, and each copy of a request gets a reply.
    const isFlooded = () => listening.isFlooded([this.#mac(1), this.#mac(2)]);
    this.#use.tell?.('asking as two children');
    const one = await make('child1', 1, treeGroups);
    await this.#control(listening, targets, { from: 'child 1', child: one, when: 'before' });
    if (isFlooded()) return [];
    const isPair = this.#use.maxMacs > 1;
    // A child that must not send cannot join its solicited-node group by itself.
    const two = await make('child2', 2, isPair ? [group.mac] : [group.mac, solicitedNodeOf(this.#mac(2))]);
    if (isPair) await this.#control(listening, targets, { from: 'child 2', child: two, when: 'before' });
    if (isFlooded()) return [];
    const [target] = targets;
    if (peerChild && target?.to === 'gateway' && !this.#isAnswered(({ to }) => to === 'peer')) {
      this.#controls.push(await ask(listening, target, { from: 'peer', child: peerChild.child, when: 'before' }));
    }
    const silent = await make('silent', 3, []);
    const [ownAddress, address] = addresses;
    this.#use.tell?.('sending frames of each class, and counting what comes back');
    const sent = await sendClasses({ one, two, isPair, silent, address, ownAddress, ipv6 });
    await this.#witness(listening, targets, [one, two]);
    return sent;
  }

  /** The MAC addresses of a run: 1 and 2 for the children, 3 for the silent child, 4 for the peer's child. */
  #mac(number: number): string {
    return macOf(this.#use.macs, number);
  }

  #targets(peer: { address: string; mac: string } | undefined): Target[] {
    const { gateway } = this.#plan;
    return [
      ...(gateway === undefined ? [] : [{ to: 'gateway' as const, address: gateway }]),
      ...(peer ? [{ to: 'peer' as const, ...peer }] : []),
    ];
  }

  /** Creates the peer's own child, with a free address. */
  async #makePeer(peer: HostNic, mac: string): Promise<{ child: Child; address: string }> {
    const base = await makeBase(peer, this.#plan.vlan, this.#scope);
    const [address = ''] = await this.#freeAddresses(base, 1, []);
    const cidr = `${address}/${prefixOf(this.#plan.range, this.#rangeUse([]))}`;
    const child = await makeChild(base, { name: 'peer', mac, address: cidr, ipv6: false }, this.#scope);
    return { child, address };
  }

  #rangeUse(taken: readonly string[]): RangeUse {
    const { gateway, prefix } = this.#plan;
    return { near: gateway === undefined ? [] : [gateway], others: [...this.#use.ownAddresses, ...taken], prefix };
  }

  async #freeAddresses(base: Base, count: number, taken: readonly string[]): Promise<string[]> {
    const { range, vlan } = this.#plan;
    const use = this.#rangeUse(taken);
    const list = candidates(range, use, Math.random(), 4 * count + 4);
    const from = vlan === 'untagged' ? range.text : `${range.text} (VLAN ${vlan})`;
    this.#use.tell?.(`asking whether ${count === 1 ? 'an address is' : `${count} addresses are`} free`);
    const { addresses, asked } = await freeAddresses(base, list, count, from, leftOut(range, use));
    this.#asked += asked;
    return addresses;
  }

  /** Sends requests as the NIC itself until a reply arrives, as long as spanning tree may hold a port back. @returns milliseconds */
  async #untilPassing(base: Base, listening: Listening, targets: Target[]): Promise<number> {
    if (targets.length === 0) return 0;
    const { usual, longest } = this.#use.forwardDelay;
    const began = performance.now();
    for (let round = 0; ; round++) {
      if (round < 2) this.#use.tell?.(round === 0 ? 'asking as the NIC itself' : 'no answer yet: retrying');
      const answers = await Promise.all(targets.map((target) => askAsNic(base, target)));
      const waited = performance.now() - began;
      this.#asked += answers.reduce((sum, { sent }) => sum + sent, 0);
      for (const [index, { mac }] of answers.entries()) {
        const target = targets[index];
        if (target) target.mac ??= mac;
      }
      const isAnswered = answers.some(({ control }) => control.answered !== 'no');
      const held = listening.bpdus > 0 ? 2 * longest : this.#plan.portPasses ? 0 : 2 * usual;
      const until = Math.max(base.stack.timeout(hello), held);
      if (isAnswered || waited > until) {
        this.#controls.push(...answers.map(({ control }) => control));
        return isAnswered && round === 0 ? 0 : waited;
      }
      await pause(pauseBehind(waited, until));
    }
  }

  #isAnswered(of: (control: Control) => boolean): boolean {
    return this.#controls.some((control) => control.from !== 'NIC' && control.answered !== 'no' && of(control));
  }

  /**
   * Sends requests to all targets as a child. If none gets a reply, although the NIC itself (for the first child) or
   * the first child (for the second) got one, sends one more. Then, for the first child only, tries the ways that show
   * the cause.
   */
  async #control(listening: Listening, targets: readonly Target[], options: AskOptions): Promise<void> {
    const { from } = options;
    for (const target of targets) this.#controls.push(await ask(listening, target, options));
    const answered = () => this.#isAnswered((control) => control.from === from);
    const [target] = targets;
    if (answered() || !target) return;
    this.#use.tell?.(`${from} is not answered: asking once more, and in other ways`);
    const before = from === 'child 1' ? 'NIC' : 'child 1';
    const passes = this.#controls.some(
      (each) => each.from === before && each.way === 'usual' && each.answered !== 'no',
    );
    if (passes) this.#controls.push(await ask(listening, target, options));
    if (answered() || from !== 'child 1') return;
    if (passes) this.#controls.push(await askPromiscuously(this.#use.host, listening, target, options));
    const known = targets.find(({ mac }) => mac !== undefined);
    if (known) this.#controls.push(await ask(listening, known, { ...options, way: 'direct' }));
  }

  /** Sends a request again after all frames: a frame that has not returned when the reply arrives will not return. */
  async #witness(listening: Listening, targets: readonly Target[], children: readonly Child[]): Promise<void> {
    for (const [index, child] of children.entries()) {
      const from = index === 0 ? 'child 1' : 'child 2';
      const before = this.#controls.find(
        ({ from: who, way, answered }) => who === from && way === 'usual' && answered !== 'no',
      );
      const target = targets.find(({ to }) => to === before?.to);
      if (target) this.#controls.push(await ask(listening, target, { from, child, when: 'after' }));
    }
  }
}

function countSent({ class: name, pattern, child, skipped }: SentClass, listening: Listening): ClassObservation {
  const { nic, peer } = listening;
  if (!pattern) {
    return { class: name, sent: 0, returned: 0, copies: 0, delivered: 0, changes: [], ...(skipped && { skipped }) };
  }
  return countClass(name, pattern, {
    out: listening.frames(nic.out),
    in: listening.frames(nic.in),
    child: listening.frames(child.wire.in),
    peer: peer && listening.frames(peer.in),
  });
}

function ownFrames(listening: Listening, macs: readonly string[]): number {
  return macs.reduce((sum, sourceMac) => sum + listening.frames(listening.nic.out, anyFrame({ sourceMac })).length, 0);
}
