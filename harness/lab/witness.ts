/**
 * Witnesses of an exchange: pings known to work that take the same ways, sent behind the frame that is missed. They are
 * also its positive control: a sender or receiver that cannot be reached by anybody makes the exchange an error.
 */
import { MacvlabError } from '../core/error.js';
import { ping } from '../probe/ping.js';
import type { Capture } from '../wire/capture.js';
import type { Frame } from '../wire/frame.js';
import { mark, type Mark, seen, type View } from '../wire/capture-point.js';
import {
  arpReply,
  arpRequest,
  echoReply,
  echoRequest,
  type FramePattern,
  neighbourAdvertisement,
  neighbourSolicitation,
} from '../wire/pattern.js';
import { Lacking } from './lacking.js';
import type { Lab } from './lab.js';
import { addressOf, type Family, type Station, withoutPrefix } from './station.js';

/** Who takes an exchange's witnesses in place of its sender or its receiver, which nobody can reach. */
export interface StandIn {
  from?: Station;
  to?: Station;
}

export class Witness {
  readonly #third: Station | undefined;
  readonly #lab: Lab;
  readonly #family: Family;
  readonly #sender: Station;
  readonly #receiver: Station;
  readonly #thirdAddresses: ReadonlySet<string>;
  #since: Mark | undefined;
  #tokens: string[] = [];

  /** @throws TypeError when a stand-in is not behind the same port as the one that it stands in for */
  constructor(lab: Lab, from: Station, to: Station, family: Family, standIn: StandIn = {}) {
    this.#lab = lab;
    this.#sender = behindTheSamePort(from, standIn.from);
    this.#receiver = behindTheSamePort(to, standIn.to);
    this.#family = family;
    this.#third = Witness.find(lab, from, to);
    this.#thirdAddresses = new Set(this.#third?.addresses.map(withoutPrefix));
  }

  /** Whether there is a third station to send them to and from; two hosts alone on a wire have none between them. */
  get canBeSent(): boolean {
    return this.#third !== undefined;
  }

  /**
   * Who can be the witness of an exchange: the first node that has no part in it; undefined where the lab itself has none.
   * @throws MacvlabError CONTROL_FAILED where the suite has given none of those an address
   */
  static find(lab: Lab, from: Station, to: Station): Station | undefined {
    const others = witnesses(lab).filter(({ host }) => host !== from.host && host !== to.host);
    if (others.length === 0) return undefined;
    const third = others.find(({ addresses }) => addresses.length > 0);
    if (third) return third;
    throw new MacvlabError(
      'CONTROL_FAILED',
      `there is no third station to witness between ${from.name} and ${to.name}`,
      {
        next: 'give one more node an address in the suite’s address plan',
      },
    );
  }

  /** Whether a frame is to, from or about the third station, and so no part of the exchange. */
  owns({ arp, ipv4, ipv6, icmp }: Frame): boolean {
    const addresses = [arp?.senderIp, arp?.targetIp, ipv4?.source, ipv4?.destination, ipv6?.source, ipv6?.destination];
    return [...addresses, icmp?.target].some((address) => address !== undefined && this.#thirdAddresses.has(address));
  }

  /**
   * The sender pings the third station, and the third station pings the receiver; both from fresh neighbour state.
   * @throws MacvlabError CONTROL_FAILED when either is not answered
   * @throws Lacking when there is no third station
   */
  async send(): Promise<void> {
    const third = this.#third ?? nobodyBetween(this.#sender, this.#receiver);
    if (this.#since) await this.#lab.forgetNeighbours([third]);
    this.#since = mark();
    this.#tokens = await Promise.all([this.#control(this.#sender, third), this.#control(third, this.#receiver)]);
  }

  /**
   * Makes sure that the witnesses were seen in these views, which lie on their way, so that a frame missing there was not
   * merely late, and that no capture of them has dropped anything.
   * @throws MacvlabError CONTROL_FAILED, CAPTURE_DROPPED
   */
  async confirm(views: readonly View[]): Promise<void> {
    if (!this.#since) await this.send();
    await this.#seenIn(views, [this.#tokens.flatMap((token) => [echoRequest({ token }), echoReply({ token })])]);
  }

  /**
   * Sends witnesses past any views, in both directions and of both kinds: whoever owns the view pings a third station and
   * is pinged by it, each from fresh neighbour state, so that a broadcast and a unicast frame pass each way.
   * @throws MacvlabError CONTROL_FAILED, CAPTURE_DROPPED
   * @throws Lacking when there is no third station
   */
  async surround(views: readonly View[]): Promise<void> {
    const owners = new Set(views.map((view) => this.#lab.ownerOf(view)));
    const pairs = [...owners].map((owner) => ({
      owner,
      third: Witness.find(this.#lab, owner, owner) ?? nobodyBetween(owner, owner),
    }));
    const everybody = [...new Set(pairs.flatMap(({ owner, third }) => [owner, third]))];
    const round = async (control: (pair: { owner: Station; third: Station }) => Promise<string>) => {
      await this.#lab.forgetNeighbours(everybody);
      return Promise.all(pairs.map(control));
    };
    this.#since = mark();
    // One way after the other: who has just been asked by a neighbour knows it, and would ask no question of its own.
    const outward = await round(({ owner, third }) => this.#control(owner, third));
    const inward = await round(({ owner, third }) => this.#control(third, owner));
    this.#tokens = [...outward, ...inward];
    await this.#seenIn(views, [
      this.#tokens.map((token) => echoRequest({ token })),
      this.#tokens.map((token) => echoReply({ token })),
      pairs.flatMap(({ owner, third }) => questions(owner, third, this.#family)),
      pairs.flatMap(({ owner, third }) => answers(owner, third, this.#family)),
    ]);
  }

  /** Waits until, in every view, at least one pattern of each kind has been seen. */
  async #seenIn(views: readonly View[], kinds: readonly (readonly FramePattern[])[]): Promise<void> {
    const since = this.#since ?? mark();
    const captures = new Set(views.flatMap((view) => view.captures));
    const passed = (capture: Capture) => () => {
      const sightings = seen({ label: capture.name, captures: [capture] }, since);
      const isThere = (kind: readonly FramePattern[]) =>
        sightings.some(({ frame }) => kind.some((pattern) => pattern.matches(frame)));
      return kinds.every(isThere) || undefined;
    };
    await Promise.all(
      [...captures].map((capture) =>
        capture.changes.until(passed(capture), {
          what: `a witness to be seen at ${capture.name}`,
          deadline: capture.patience(10_000),
          next: 'a frame missing where no witness passes proves nothing: ask another view',
        }),
      ),
    );
    await Promise.all([...captures].map((capture) => capture.refuseDrops()));
  }

  async #control(from: Station, to: Station): Promise<string> {
    const address = addressOf(to, this.#family, from);
    const result = await ping(from.stack, address, { count: 1, wait: this.#lab.patience(2000) / 1000 });
    if (result.received === result.transmitted && result.received > 0) return result.token;
    throw new MacvlabError(
      'CONTROL_FAILED',
      `the positive control did not pass: ${from.name} to ${to.name} (${address}), ${result.loss}% lost`,
      {
        evidence: [result.refusal, ...result.errors].filter(Boolean).join('\n'),
        next: 'look at the links in the evidence: this way must work before a loss on it means anything',
      },
    );
  }
}

/** The nodes that can be witnesses, by preference. */
function witnesses(lab: Lab): Station[] {
  const { node1, node2, nodes } = lab;
  return [...nodes.filter(({ name }) => name === 'router'), node2, node1];
}

function nobodyBetween(from: Station, to: Station): never {
  throw new Lacking('machine', `needs a third machine on the wire to witness between ${from.name} and ${to.name}`);
}

function behindTheSamePort(station: Station, standIn: Station = station): Station {
  if (standIn.host === station.host) return standIn;
  throw new TypeError(`${standIn.name} on ${standIn.host} cannot stand in for ${station.name} on ${station.host}`);
}

/** What each of two stations is told by the other before they can ping each other. */
function answers(one: Station, other: Station, family: Family): FramePattern[] {
  const [a, b] = [addressOf(one, family, other), addressOf(other, family, one)];
  if (family === 6) return [neighbourAdvertisement({ target: a }), neighbourAdvertisement({ target: b })];
  return [arpReply({ from: a, tell: b }), arpReply({ from: b, tell: a })];
}

/** What two stations ask the network before they can ping each other: broadcasts, or multicasts with IPv6. */
function questions(one: Station, other: Station, family: Family): FramePattern[] {
  const [a, b] = [addressOf(one, family, other), addressOf(other, family, one)];
  if (family === 6)
    return [neighbourSolicitation({ target: a, from: b }), neighbourSolicitation({ target: b, from: a })];
  return [arpRequest({ who: a, tell: b, to: 'broadcast' }), arpRequest({ who: b, tell: a, to: 'broadcast' })];
}
