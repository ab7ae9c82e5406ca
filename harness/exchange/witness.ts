/**
 * Witnesses of an exchange: pings that must succeed, sent on the same paths after the missing frame. They are also its positive control:
 * if the sender or the receiver cannot be reached by any station, the exchange is an error.
 */
import { MacvlabError } from '../core/error.js';
import { ping } from '../probe/ping.js';
import type { Capture } from '../wire/capture.js';
import type { Frame } from '../wire/protocol/frame.js';
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
import { MissingPrerequisite } from '../core/missing-prerequisite.js';
import type { ExchangeNetwork } from './network.js';
import { addressOf, type Family, type Station, withoutPrefix } from './station.js';

/** Stations for an exchange's witnesses instead of its sender or its receiver, if no station can reach these. */
export interface Substitutes {
  from?: Station;
  to?: Station;
}

export class Witness {
  readonly #third: Station | undefined;
  readonly #network: ExchangeNetwork;
  readonly #family: Family;
  readonly #sender: Station;
  readonly #receiver: Station;
  readonly #thirdAddresses: ReadonlySet<string>;
  #since: Mark | undefined;
  #tokens: string[] = [];

  /** @throws TypeError when a substitute is not connected to the same port as the station that it replaces */
  constructor(network: ExchangeNetwork, from: Station, to: Station, family: Family, substitute: Substitutes = {}) {
    this.#network = network;
    this.#sender = behindTheSamePort(from, substitute.from);
    this.#receiver = behindTheSamePort(to, substitute.to);
    this.#family = family;
    this.#third = Witness.find(network, from, to);
    this.#thirdAddresses = new Set(this.#third?.addresses.map(withoutPrefix));
  }

  /** Whether there is a third station. A lab of two hosts without a router has none. */
  get canBeSent(): boolean {
    return this.#third !== undefined;
  }

  /**
   * The third station for an exchange: the first node that does not take part in it; undefined if the lab has none.
   * @throws MacvlabError CONTROL_FAILED if the suite has given no such node an address
   */
  static find(network: ExchangeNetwork, from: Station, to: Station): Station | undefined {
    const others = network.witnesses.filter(({ host }) => host !== from.host && host !== to.host);
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

  /** When the last witnesses were sent; undefined if none were. */
  get sentSince(): Mark | undefined {
    return this.#since;
  }

  /** Whether a frame has an address of the third station, and so does not belong to the exchange. */
  owns({ arp, ipv4, ipv6, icmp }: Frame): boolean {
    const addresses = [arp?.senderIp, arp?.targetIp, ipv4?.source, ipv4?.destination, ipv6?.source, ipv6?.destination];
    return [...addresses, icmp?.target].some((address) => address !== undefined && this.#thirdAddresses.has(address));
  }

  /**
   * The sender pings the third station, and the third station pings the receiver; both with empty neighbour caches.
   * @throws MacvlabError CONTROL_FAILED when either is not answered
   * @throws MissingPrerequisite when there is no third station
   */
  async send(): Promise<void> {
    const third = this.#third ?? throwNoThirdStation(this.#sender, this.#receiver);
    if (this.#since) await this.#network.forgetNeighbours([third]);
    this.#since = mark();
    this.#tokens = await Promise.all([this.#control(this.#sender, third), this.#control(third, this.#receiver)]);
  }

  /**
   * Waits until the witnesses are seen in these views, which must be on their path, so that a frame missing there is not only late.
   * Checks also that these captures have dropped no frame.
   * @throws MacvlabError CONTROL_FAILED, CAPTURE_DROPPED
   */
  async confirm(views: readonly View[]): Promise<void> {
    if (!this.#since) await this.send();
    await this.#seenIn(views, [this.#tokens.flatMap((token) => [echoRequest({ token }), echoReply({ token })])]);
  }

  /**
   * Sends witnesses past any views, in both directions: the station whose frames pass the view pings a third station and is pinged by it,
   * each with empty neighbour caches. So a broadcast and a unicast frame pass the view in each direction.
   * @throws MacvlabError CONTROL_FAILED, CAPTURE_DROPPED
   * @throws MissingPrerequisite when there is no third station
   */
  async bracket(views: readonly View[]): Promise<void> {
    const owners = new Set(views.map((view) => this.#network.listening.ownerOf(view)));
    const pairs = [...owners].map((owner) => ({
      owner,
      third: Witness.find(this.#network, owner, owner) ?? throwNoThirdStation(owner, owner),
    }));
    const everybody = [...new Set(pairs.flatMap(({ owner, third }) => [owner, third]))];
    const round = async (control: (pair: { owner: Station; third: Station }) => Promise<string>) => {
      await this.#network.forgetNeighbours(everybody);
      return Promise.all(pairs.map(control));
    };
    this.#since = mark();
    // One direction after the other: a station that receives an ARP request learns the neighbour from it, and would not send its own.
    const outward = await round(({ owner, third }) => this.#control(owner, third));
    const inward = await round(({ owner, third }) => this.#control(third, owner));
    this.#tokens = [...outward, ...inward];
    await this.#seenIn(views, [
      this.#tokens.map((token) => echoRequest({ token })),
      this.#tokens.map((token) => echoReply({ token })),
      pairs.flatMap(({ owner, third }) => requests(owner, third, this.#family)),
      pairs.flatMap(({ owner, third }) => replies(owner, third, this.#family)),
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
          deadline: capture.timeout(10_000),
          next: 'a frame missing where no witness passes proves nothing: ask another view',
        }),
      ),
    );
    await Promise.all([...captures].map((capture) => capture.refuseDrops()));
  }

  async #control(from: Station, to: Station): Promise<string> {
    const address = addressOf(to, this.#family, from);
    const result = await ping(from.stack, address, { count: 1, wait: this.#network.timeout(2000) / 1000 });
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

function throwNoThirdStation(from: Station, to: Station): never {
  throw new MissingPrerequisite(
    'machine',
    `needs a third machine on the wire to witness between ${from.name} and ${to.name}`,
  );
}

function behindTheSamePort(station: Station, substitute: Station = station): Station {
  if (substitute.host === station.host) return substitute;
  throw new TypeError(
    `${substitute.name} on ${substitute.host} cannot stand in for ${station.name} on ${station.host}`,
  );
}

/** The replies of ARP or neighbour discovery between two stations. */
function replies(one: Station, other: Station, family: Family): FramePattern[] {
  const [a, b] = [addressOf(one, family, other), addressOf(other, family, one)];
  if (family === 6) return [neighbourAdvertisement({ target: a }), neighbourAdvertisement({ target: b })];
  return [arpReply({ from: a, tell: b }), arpReply({ from: b, tell: a })];
}

/** The requests of ARP (broadcast) or neighbour discovery (multicast) between two stations. */
function requests(one: Station, other: Station, family: Family): FramePattern[] {
  const [a, b] = [addressOf(one, family, other), addressOf(other, family, one)];
  if (family === 6)
    return [neighbourSolicitation({ target: a, from: b }), neighbourSolicitation({ target: b, from: a })];
  return [arpRequest({ who: a, tell: b, to: 'broadcast' }), arpRequest({ who: b, tell: a, to: 'broadcast' })];
}
