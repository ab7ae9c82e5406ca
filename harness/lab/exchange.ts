/**
 * An exchange: one echo request from a station to another, from fresh neighbour state, with what was seen of it at each
 * capture point. Whether it was answered or lost is settled by frames, never by waiting for a fixed time:
 *
 * - a reply settles it at once;
 * - otherwise a witness is sent along each half of the way behind the frame that is missed: the sender pings a third
 *   station, which pings the receiver. When these are answered and the missed frame has got no further meanwhile, it
 *   never will: frames of one kind do not overtake each other on a cable, in a bridge or in macvlan's broadcast queue;
 * - where that does not hold (a delayed flow, several queues of a card, a bundle of cables), a frame may come behind the witnesses. So
 *   nothing counts as missing before a time bound has passed since the last frame of the exchange ({@link lateness}).
 */
import { MacvlabError } from '../core/error.js';
import { pause, poll } from '../core/wait.js';
import { asPrinted } from '../link/address.js';
import { readNeighbours } from '../link/neighbour.js';
import { type PingOptions, type PingReply, type PingResult, type RunningPing, startPing } from '../probe/ping.js';
import { firstOf } from '../wire/arrival.js';
import { isAfter, mark, type Mark, seen, type View } from '../wire/capture-point.js';
import type { Sighting } from '../wire/capture.js';
import { destinationClass } from '../wire/frame.js';
import {
  arpReply,
  arpRequest,
  echoReply,
  echoRequest,
  type FramePattern,
  neighbourAdvertisement,
  neighbourSolicitation,
} from '../wire/pattern.js';
import type { Lab } from './lab.js';
import { addressOf, type Family, isOnLink, needsReflection, pathBetween, type Station } from './station.js';
import { type StandIn, Witness } from './witness.js';

export interface ExchangeOptions extends Pick<PingOptions, 'size' | 'ttl'> {
  family?: Family;
  /** Keeps neighbour entries as they are, for an experiment about them. */
  keepNeighbours?: boolean;
  /** Sends witnesses whether they are needed or not, as happens by itself where an answer is slow to come. */
  alwaysWitness?: boolean;
  /**
   * Who takes the witnesses in place of the sender or the receiver, which nobody can reach: a station behind the same port.
   * The views that only the station itself passes are then left out.
   */
  standIn?: StandIn;
  /** A multicast group that is pinged instead of the receiver's own address: whether it got the request is on its wire. */
  group?: string;
}

/** One step of an exchange: the frame that it consists of, and the views that it passes in order. */
export interface Step {
  name: string;
  pattern: FramePattern;
  path: readonly View[];
}

export type Outcome = 'answered' | 'astray' | 'lost' | 'refused';

/**
 * Milliseconds that an answer is given before a witness is sent, which costs two more pings; a courtesy, no proof. As long
 * again as a command takes there and back, where that is any time at all.
 */
const courtesy = 4;
/**
 * Milliseconds: what comes later than this behind the frame before it counts as lost, or is not counted (docs/verdicts.md, "Late
 * frames"). Far beyond what a kernel takes; a lab on somebody's cables and switch has a longer one (`Machines.lateness`).
 */
const lateness = 250;
/** How often the missed frame may get further while witnesses are sent: there are four steps of four views each. */
const mostRounds = 16;

/** Frames of which something can be asserted: of none, nothing is. */
class Sightings extends Array<Sighting> {
  /** @throws MacvlabError NO_EVIDENCE when there are none: that holds of all of them, and of none */
  override every<S extends Sighting>(
    holds: (value: Sighting, index: number, array: Sighting[]) => value is S,
  ): this is S[];
  override every(holds: (value: Sighting, index: number, array: Sighting[]) => unknown): boolean;
  override every(holds: (value: Sighting, index: number, array: Sighting[]) => unknown): boolean {
    if (this.length > 0) return super.every(holds);
    throw new MacvlabError('NO_EVIDENCE', 'something is said of every frame in a list that is empty', {
      next: 'let the experiment see frames first, or say that there are none: expect(ping).not.to.have.seen(…)',
    });
  }
}

export class Exchange {
  readonly lab: Lab;
  readonly from: Station;
  readonly to: Station;
  /** The address that was asked for. */
  readonly target: string;
  readonly token: string;
  readonly steps: readonly Step[];
  readonly since: Mark;
  readonly witness: Witness;
  readonly #standIn: StandIn;
  readonly #toGroup: boolean;
  readonly #finished = new Set<string>();
  #consulted = false;
  /** Microseconds since the epoch: frames captured later belong to what came after. */
  until = Number.POSITIVE_INFINITY;
  ping!: PingResult;
  /** How far a lost exchange got: the step that failed, the last view that saw its frame and the first that did not. */
  breakPoint: { step: Step; last: View | undefined; missing: View | undefined } | undefined;
  /** Whether the request of an answered ping was seen at its receiver. */
  receiverSawIt = true;
  /** Why it was not answered, in one line from the captured frames. */
  reason = '';
  /** What was asserted of it last, whether that held or not: "expected the ping from ns1 to ns2 (10.0.0.2) to be answered". */
  expected: string | undefined;

  private constructor(
    lab: Lab,
    from: Station,
    to: Station,
    token: string,
    since: Mark,
    family: Family,
    target: string,
    standIn: StandIn = {},
  ) {
    this.lab = lab;
    this.from = from;
    this.to = to;
    this.token = token;
    this.since = since;
    this.target = target;
    this.steps = stepsOf(from, to, addressOf(from, family, to), this.target, token, family);
    this.#standIn = standIn;
    this.#toGroup = target !== addressOf(to, family, from);
    this.witness = new Witness(lab, from, to, family, standIn);
  }

  /**
   * Performs an exchange.
   * @throws MacvlabError CONTROL_FAILED when the witness is not answered; CAPTURE_DROPPED; REMOTE_DEAD
   * @throws Lacking when its outcome depends on a switch that may not do what suites take for granted
   */
  static async perform(lab: Lab, from: Station, to: Station, options: ExchangeOptions): Promise<Exchange> {
    const {
      keepNeighbours = false,
      alwaysWitness = false,
      standIn = {},
      group,
      family = group?.includes(':') ? 6 : 4,
      ...probe
    } = options;
    if (needsReflection(from, to) && isOnLink(from, to, family)) lab.switch.requireKnownReflection(from.host);
    const third = Witness.find(lab, from, to);
    const substitutes = [standIn.from, standIn.to].filter((station) => station !== undefined);
    if (!keepNeighbours) await lab.forgetNeighbours([from, to, ...(third ? [third] : []), ...substitutes]);
    const since = mark();
    const target = group ?? addressOf(to, family, from);
    const running = await startPing(from.stack, target, group ? { ...probe, device: from.device } : probe);
    const exchange = new Exchange(lab, from, to, running.token, since, family, target, standIn);
    await exchange.#settle(running, alwaysWitness);
    exchange.#conclude();
    await exchange.#refuseFalseClaim();
    exchange.until = Date.now() * 1000 + 999;
    exchange.#consulted = false;
    return exchange;
  }

  /** See {@link Lab.pingInVain}. */
  static async performInVain(lab: Lab, from: Station, to: Station): Promise<Exchange> {
    await lab.forgetNeighbours([from, to]);
    const since = mark();
    const target = addressOf(to, 4, from);
    const running = await startPing(from.stack, target);
    const exchange = new Exchange(lab, from, to, running.token, since, 4, target);
    let result: PingResult | undefined;
    const over = running.ended.then((value) => (result = value));
    const asked = async () =>
      result ?? (await readNeighbours(from.stack)).find(({ address, mac }) => address === target && mac === undefined);
    await poll(asked, { what: `${from.name} to ask for ${target}`, deadline: lab.patience(10_000) });
    await running.stop();
    exchange.ping = await over;
    exchange.reason = `ended as soon as ${from.name} had asked for ${target}`;
    exchange.until = Date.now() * 1000 + 999;
    exchange.#consulted = false;
    return exchange;
  }

  /** Whether its outcome or its frames were asked for since it was performed: what was not cannot be what a test asserts. */
  get wasConsulted(): boolean {
    return this.#consulted;
  }

  /**
   * answered: the receiver got every request, and its replies came back unharmed; astray: a reply came that was not the
   * receiver's, or not what had been sent; lost: frames left and no reply came; refused: the sender's stack sent nothing.
   */
  get outcome(): Outcome {
    this.#consulted = true;
    const { received, transmitted, corrupted } = this.ping;
    if (received > 0 && received === transmitted)
      return corrupted || this.#stray || !this.receiverSawIt ? 'astray' : 'answered';
    return this.ping.refusal === undefined ? 'lost' : 'refused';
  }

  /** A reply that ping took for one, although it is from another address, or to a request that was never sent. */
  get #stray(): PingReply | undefined {
    const { replies, transmitted } = this.ping;
    // Of a group that was asked, anybody may answer.
    const isFromElsewhere = ({ from }: PingReply) =>
      !this.#toGroup && from.replace(/%.*/, '') !== asPrinted(this.target);
    return replies.find((reply) => isFromElsewhere(reply) || reply.sequence < 1 || reply.sequence > transmitted);
  }

  /** Percent. */
  get loss(): number {
    return this.ping.loss;
  }

  /**
   * Frames seen in a view so far during the exchange, without those of its witnesses: where an answer is slow to come, these are
   * sent beside it, and would be taken for what a test asks about.
   * @throws MacvlabError CAPTURE_ENDED; NO_EVIDENCE when they are forgotten: what is not known any more was not missing
   */
  seen(view: View): Sighting[] {
    if (this.since.order < this.lab.forgottenBefore) throw this.#forgotten();
    this.#consulted = true;
    const echoes = this.steps.slice(-2);
    return Sightings.from(seen(view, this.since)).filter(
      ({ frame, timeError }) =>
        (frame.time - timeError <= this.until && !this.witness.owns(frame)) ||
        // Its token tells an echo from those of others, however late it comes.
        echoes.some(({ pattern }) => pattern.matches(frame)),
    );
  }

  /** Frames of the exchange itself seen in a view so far, all of them behind {@link finish}: its questions for neighbours, and echoes with its token. */
  own(view: View): Sighting[] {
    return this.seen(view).filter(({ frame }) => this.steps.some(({ pattern }) => pattern.matches(frame)));
  }

  /**
   * Frames of the exchange itself in a view that it passes, none of them still to be decoded: where it was answered, its last frame
   * there is waited for; where it was lost, witnesses have passed.
   */
  async allOwn(view: View): Promise<Sighting[]> {
    if (this.outcome === 'answered') {
      const last = this.steps.findLast(({ path }) => path.some(({ label }) => label === view.label));
      // An uplink is not on the way of the children behind it: one of the two echoes passes it in each direction.
      await this.sees(view, ...(last ? [last.pattern] : this.steps.slice(-2).map(({ pattern }) => pattern)));
    }
    return this.own(view);
  }

  /**
   * Whether a frame of these patterns is seen in a view: one that has passed is there as soon as its capture has delivered it.
   * @throws MacvlabError CAPTURE_ENDED when nobody listens there any more: not to have seen it says nothing then
   */
  async sees(view: View, ...patterns: FramePattern[]): Promise<boolean> {
    const look = () => patterns.some((pattern) => this.saw(view, pattern)) || undefined;
    const over = new AbortController();
    const looks = view.captures.map((capture) =>
      capture.changes.until(look, {
        what: 'a frame to be seen',
        deadline: capture.patience(2000),
        signal: over.signal,
      }),
    );
    return (await firstOf(looks).finally(() => over.abort())) ?? false;
  }

  /** Whether a frame of this pattern was seen in a view so far; behind {@link finish}, whether it ever was. @throws MacvlabError CAPTURE_ENDED */
  saw(view: View, pattern: FramePattern): boolean {
    return this.seen(view).some(({ frame }) => pattern.matches(frame));
  }

  /**
   * Makes what was seen in these views final: witnesses sent now have passed them, so that whatever is missing behind this
   * was never there.
   * @throws MacvlabError CONTROL_FAILED, CAPTURE_DROPPED
   */
  async finish(views: readonly View[]): Promise<void> {
    const open = views.filter(({ label }) => !this.#finished.has(label));
    if (open.length === 0) return;
    await this.#outlast();
    // Frames of another exchange may look like those of this one; until then, all are its own.
    const isAlone =
      this.lab.pingsUnderWay === 0 && this.lab.exchanges.every(({ since }) => since.time <= this.since.time);
    if (isAlone) this.until = Date.now() * 1000 + 999;
    await this.witness.surround(open);
    for (const { label } of open) this.#finished.add(label);
  }

  /** All that was seen of the exchange, with times relative to its beginning. */
  listing(): Sighting[] {
    const views = new Set(this.lab.captures);
    const own = [...views].flatMap((capture) => this.own({ label: capture.name, captures: [capture] }));
    return own.sort((a, b) => a.frame.time - b.frame.time || a.order - b.order);
  }

  async #settle({ ended, stop }: RunningPing, alwaysWitness: boolean): Promise<void> {
    let ends = 0;
    const isOver = () => ends > 0;
    const over = ended.finally(() => ends++);
    const views = this.#witnessed();
    try {
      const first = new AbortController();
      await Promise.race([over, this.#somethingLeft(first.signal)]).finally(() => first.abort());
      // Without a third station nothing but time tells that there will be no answer, and nothing proves a loss.
      if (!this.witness.canBeSent) await over;
      if (alwaysWitness) await this.witness.send();
      else await pause(courtesy + (this.lab.machines.roundTrip ?? 0), over);
      let control: unknown;
      for (let round = 1; !isOver(); round++) {
        const before = this.#progress();
        control = await this.witness.send().catch((error: unknown) => error);
        if (isOver() || control !== undefined) break;
        // Behind this, whatever was captured before the witnesses has also been decoded.
        await this.witness.confirm(views);
        if (this.#progress() === before) {
          await this.#outlast(over, isOver);
          if (isOver() || this.#progress() === before) break;
        }
        if (round === mostRounds) throw this.#endless();
      }
      if (!isOver()) await stop();
      this.ping = await over;
      if (this.outcome === 'answered') return await this.#arrival();
      // A control is for losses: what was answered after all, while it was performed, needs none.
      if (control !== undefined) {
        // Where somebody no longer listens, the interface went: that is why the control did not pass.
        this.#progress();
        throw control as Error;
      }
      if (this.outcome === 'lost') {
        if (!this.witness.canBeSent) throw this.#unwitnessed();
        await this.witness.confirm(views);
      }
    } catch (error) {
      if (!isOver()) await stop().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Waits until the time bound has passed since the last frame of the exchange: a courtesy to frames that others have overtaken.
   * @param over ends it early
   */
  async #outlast(over?: Promise<unknown>, isOver = () => false): Promise<void> {
    const bound = this.lab.machines.lateness ?? lateness;
    for (let round = 0; round < mostRounds && !isOver(); round++) {
      const last = this.listing().at(-1)?.frame.time ?? this.since.time;
      const rest = bound - (Date.now() - last / 1000);
      if (rest <= 0) return;
      await pause(rest, over);
    }
  }

  /** The views that witnesses pass: all of every path, but for those of whom somebody stands in for. */
  #witnessed(): View[] {
    const [there, back] = [pathBetween(this.from, this.to), pathBetween(this.to, this.from)];
    const without = (stood: Station | undefined, views: (View | undefined)[]) => (stood ? views : []);
    const left = new Set(
      [
        ...without(this.#standIn.from, [there.at(0), back.at(-1)]),
        ...without(this.#standIn.to, [there.at(-1), back.at(0)]),
      ].map((view) => view?.label),
    );
    return [...there, ...back].filter(({ label }) => !left.has(label));
  }

  /**
   * Waits until the request of an answered ping was seen at its receiver: an answer counts only when it is the receiver's.
   * It is there already, but for the time that its capture takes.
   */
  async #arrival(): Promise<void> {
    const request = this.steps.find(({ name }) => name === 'echo request');
    const view = request?.path.at(-1);
    if (!request || !view) return;
    this.receiverSawIt = await this.sees(view, request.pattern);
    // Unless frames show it going elsewhere, an answer to what nobody saw is first of all a doubt about who watches.
    if (!this.receiverSawIt && !this.#wentElsewhere(request)) await this.witness.surround([view]);
  }

  /** Whether the request left for a group, or for another MAC than the receiver's although the receiver itself was asked for. */
  #wentElsewhere(request: Step): boolean {
    const [question] = this.steps;
    const [departure] = request.path;
    if (!question || !departure) return false;
    const addressee = this.#addressee(request, departure);
    if (addressee === undefined || addressee === this.to.mac) return false;
    return destinationClass(addressee) !== 'unicast' || this.saw(departure, question.pattern);
  }

  /** The MAC that a step's frame is addressed to where it is seen. */
  #addressee({ pattern }: Step, view: View): string | undefined {
    return this.seen(view).find(({ frame }) => pattern.matches(frame))?.frame.ethernet?.destination;
  }

  /** Says what has become of it, while everybody still listens who was to see it. */
  #conclude(): void {
    if (this.outcome === 'lost') this.breakPoint = this.#findBreak();
    this.reason = this.#explain();
  }

  /**
   * Where somebody only says whether the switch reflects, frames tell whether that is so: else a wrong word of the owner's would be
   * taken for a fault of the kernel.
   * @throws MacvlabError SWITCH_CLAIM
   */
  async #refuseFalseClaim(): Promise<void> {
    const { from, to, lab, target } = this;
    const [port, request] = [from.port, this.steps[0]];
    const claimed = lab.switch.claimedReflection(from.host);
    const family = target.includes(':') ? 6 : 4;
    if (claimed === undefined || !port || !request || !needsReflection(from, to) || !isOnLink(from, to, family)) return;
    // Behind a loss, witnesses have passed; an answer may be there before its request has been decoded. It need not be the switch's.
    const answered = this.outcome === 'answered';
    const reflected =
      answered && !claimed ? await this.sees(port.out, request.pattern) : this.saw(port.out, request.pattern);
    const left = this.saw(port.in, request.pattern);
    if (reflected === claimed || !left || (!reflected && this.outcome !== 'lost')) return;
    const word = claimed ? 'on' : 'off';
    const seen = reflected ? 'came back' : 'did not come back';
    throw new MacvlabError(
      'SWITCH_CLAIM',
      `the inventory says that the switch’s port of ${from.host} ${claimed ? 'reflects' : 'does not reflect'} (hairpin: ${word}), and a frame ${seen}`,
      {
        evidence: `${request.name} of the ping from ${from.name} to ${to.name}: seen at ${port.in.label}, ${reflected ? 'and' : 'never'} at ${port.out.label}`,
        next: `ask the port itself: macvlab validate-switch; then correct switch.hairpin.${from.host} in the inventory`,
      },
    );
  }

  #findBreak(): Exchange['breakPoint'] {
    const step = this.steps.findLast(({ pattern, path }) => path.some((view) => this.saw(view, pattern)));
    if (!step) return undefined;
    const index = step.path.findLastIndex((view) => this.saw(view, step.pattern));
    return { step, last: step.path[index], missing: step.path[index + 1] };
  }

  #explain(): string {
    if (this.outcome === 'answered') return 'answered';
    if (this.ping.refusal !== undefined) return `${this.from.name} sent nothing: ${this.ping.refusal}`;
    if (!this.receiverSawIt) return `somebody else answered: ${this.to.name} was never sent the request`;
    if (this.ping.corrupted) return 'the reply was not what had been sent';
    const stray = this.#stray;
    if (stray) return `the reply was from ${stray.from}, to request ${stray.sequence} of ${this.ping.transmitted}`;
    if (!this.breakPoint) return `no frame of it was seen anywhere; ping says: ${this.ping.errors[0] ?? 'no reply'}`;
    const { step, last, missing } = this.breakPoint;
    if (missing && last) return `${step.name} ${goneBetween(last, missing)}`;
    const receiver = this.steps.indexOf(step) % 2 === 0 ? this.to : this.from;
    const addressee = last && this.#addressee(step, last);
    const misled = addressee && destinationClass(addressee) === 'unicast' && addressee !== receiver.mac;
    if (misled)
      return `${step.name} arrived at ${last.label}, addressed to ${addressee}, which is not ${receiver.name}’s`;
    if (step.name === 'echo reply') return `${step.name} arrived at ${last?.label}, and ping was not given it`;
    return `${step.name} arrived at ${last?.label}, and nothing came back from there`;
  }

  /** Resolves when the first frame of the exchange is seen at its sender; the ping's own end is awaited beside it. */
  async #somethingLeft(signal: AbortSignal): Promise<void> {
    const first = this.steps.filter((_, index) => index % 2 === 0);
    const captures = this.steps[0]?.path[0]?.captures ?? [];
    const look = () =>
      captures.some(({ sightings }) =>
        sightings.some((s) => isAfter(s, this.since) && first.some(({ pattern }) => pattern.matches(s.frame))),
      ) || undefined;
    await Promise.any(
      captures.map((capture) =>
        capture.changes.until(look, {
          what: `the first frame of a ping from ${this.from.name} to ${this.target}`,
          deadline: capture.patience(15_000),
          signal,
        }),
      ),
    ).catch((error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error;
    });
  }

  /** Which steps were seen where, as a value that can be compared. */
  #progress(): string {
    return this.steps
      .flatMap(({ name, pattern, path }) =>
        path.filter((view) => this.saw(view, pattern)).map(({ label }) => `${name} ${label}`),
      )
      .join();
  }

  #unwitnessed(): MacvlabError {
    const { from, target } = this;
    return new MacvlabError('CONTROL_FAILED', `${from.name} to ${target}: no answer, and nobody to witness the loss`, {
      evidence: this.#progress(),
      next: 'look whether this way works at all; a third machine as `router` in the inventory would tell where frames are lost',
    });
  }

  #forgotten(): MacvlabError {
    const { from, to, target } = this;
    return new MacvlabError(
      'NO_EVIDENCE',
      `the frames of the ping from ${from.name} to ${to.name} (${target}) are forgotten`,
      {
        next: 'let each experiment send the pings that it asserts something about: a set-up’s are gone, as those of the one before',
      },
    );
  }

  #endless(): MacvlabError {
    return new MacvlabError(
      'CONTROL_FAILED',
      `${this.from.name} to ${this.target}: still getting further behind ${mostRounds} witnesses`,
      {
        evidence: this.#progress(),
        next: 'look whether something in the lab delays or repeats frames',
      },
    );
  }
}

/** Where a frame was lost: "last seen at switch/node1 in, never at switch/node1 out". Of a switch that nobody looks into, cards tell. */
function goneBetween(last: View, missing: View): string {
  const [left, [card, way]] = [last.near ?? last.label, (missing.near ?? missing.label).split(' ')];
  if (last.near !== undefined && left === `${card} out` && way === 'in') return `left ${card}, and never came back`;
  if (last.near !== undefined && missing.near !== undefined)
    return `left ${left.split(' ')[0]}, and never came to ${card}`;
  return `last seen at ${left}, never at ${[card, way].filter(Boolean).join(' ')}`;
}

function stepsOf(from: Station, to: Station, source: string, target: string, token: string, family: Family): Step[] {
  const there = pathBetween(from, to);
  const back = pathBetween(to, from);
  const echo = { token };
  const discovery: Step[] =
    family === 4
      ? [
          { name: 'ARP request', pattern: arpRequest({ who: target, tell: source }), path: there },
          { name: 'ARP reply', pattern: arpReply({ from: target, tell: source }), path: back },
        ]
      : [
          { name: 'neighbour solicitation', pattern: neighbourSolicitation({ target, from: source }), path: there },
          { name: 'neighbour advertisement', pattern: neighbourAdvertisement({ target, to: from.mac }), path: back },
        ];
  return [
    ...discovery,
    { name: 'echo request', pattern: echoRequest(echo), path: there },
    { name: 'echo reply', pattern: echoReply(echo), path: back },
  ];
}
