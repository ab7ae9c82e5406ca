/**
 * An exchange: one echo request from a station to another, with empty neighbour caches, and its frames at each capture point.
 * Captured frames decide whether it was answered or lost, not a timeout alone:
 *
 * - A reply settles it immediately.
 * - Without a reply, two witnesses follow the missing frame: the sender pings a third station, and the third station pings the receiver.
 *   If both are answered and the missing frame has reached no further view, it is lost. This assumes that frames of one kind do not
 *   overtake each other on a link, in a bridge or in macvlan's broadcast queue.
 * - That assumption does not hold for a delayed flow, a NIC with several queues or a link aggregation group: a frame may arrive after the
 *   witnesses. So no frame counts as missing before a time bound has passed since the last frame of the exchange ({@link lateness}).
 */
import { MacvlabError } from '../core/error.js';
import { pause, poll } from '../core/wait.js';
import { asPrinted } from '../link/address.js';
import { readNeighbours } from '../link/neighbour.js';
import { type PingOptions, type PingReply, type PingResult, type RunningPing, startPing } from '../probe/ping.js';
import { firstOf } from '../wire/arrival.js';
import { isAfter, mark, type Mark, seen, type View } from '../wire/capture-point.js';
import type { Sighting } from '../wire/capture.js';
import { destinationClass } from '../wire/protocol/frame.js';
import type { FramePattern } from '../wire/pattern.js';
import type { ExchangeNetwork } from './network.js';
import { addressOf, type Family, isOnLink, needsReflection, pathBetween, type Station } from './station.js';
import { type Substitutes, Witness } from './witness.js';
import { Sightings } from './sightings.js';
import { type Step, stepsOf } from './steps.js';
import { describeDropPoint } from './drop-point.js';

export interface ExchangeOptions extends Pick<PingOptions, 'size' | 'ttl'> {
  family?: Family;
  /** Keeps neighbour entries as they are, for an experiment about them. */
  keepNeighbours?: boolean;
  /** Sends witnesses even if a reply arrives in time. Without this option, they are sent only when the reply is slow. */
  alwaysWitness?: boolean;
  /**
   * Stations that send or receive the witnesses instead of the sender or the receiver, if no other station can reach these. A substitute is
   * connected to the same switch port. The views that only the replaced station's frames pass are not checked then.
   */
  substitutes?: Substitutes;
  /** A multicast group that is pinged instead of the receiver's own address. The receiver's capture shows whether the request arrived. */
  group?: string;
}

export type Outcome = 'answered' | 'misdelivered' | 'lost' | 'refused';

/**
 * Milliseconds to wait for a reply before witnesses are sent, because witnesses cost two more pings. No verdict depends on it.
 * The round-trip time of a command is added.
 */
const gracePeriod = 4;
/**
 * The time bound in milliseconds: a frame that arrives later than this after the exchange's previous frame counts as lost
 * (docs/method.md, "Assumptions"). A kernel is much faster. A lab with hardware links and switch has a longer bound (`Machines.lateness`).
 */
const lateness = 250;
/** How often the missing frame may reach a further view while witnesses are sent: four steps of four views each. */
const mostRounds = 16;

/** The values with which an exchange begins. */
interface Beginning {
  network: ExchangeNetwork;
  from: Station;
  to: Station;
  /** Random bytes in the payload, which identify the exchange's echo requests and replies. */
  token: string;
  since: Mark;
  family: Family;
  /** The address that is pinged. */
  target: string;
  substitutes?: Substitutes;
}

export class Exchange {
  readonly network: ExchangeNetwork;
  readonly from: Station;
  readonly to: Station;
  /** The address that is pinged. */
  readonly target: string;
  readonly token: string;
  readonly steps: readonly Step[];
  readonly since: Mark;
  readonly witness: Witness;
  readonly #substitutes: Substitutes;
  readonly #toGroup: boolean;
  readonly #finished = new Set<string>();
  #consulted = false;
  /** Microseconds since the epoch: frames captured later do not belong to this exchange. */
  until = Number.POSITIVE_INFINITY;
  ping!: PingResult;
  /** The drop point of a lost exchange: the step that failed, the last view that saw its frame and the first that did not. */
  dropPoint: { step: Step; last: View | undefined; missing: View | undefined } | undefined;
  /** Whether the request of an answered ping was seen at its receiver. */
  receiverSawIt = true;
  /** Why it was not answered, in one line from the captured frames. */
  reason = '';
  /** The last assertion about it, true or not: "expected the ping from ns1 to ns2 (10.0.0.2) to be answered". */
  expected: string | undefined;

  private constructor({ network, from, to, token, since, family, target, substitutes = {} }: Beginning) {
    this.network = network;
    this.from = from;
    this.to = to;
    this.token = token;
    this.since = since;
    this.target = target;
    this.steps = stepsOf(from, to, addressOf(from, family, to), this.target, token, family);
    this.#substitutes = substitutes;
    this.#toGroup = target !== addressOf(to, family, from);
    this.witness = new Witness(network, from, to, family, substitutes);
  }

  /**
   * Runs an exchange.
   * @throws MacvlabError CONTROL_FAILED when the witness is not answered; CAPTURE_DROPPED; REMOTE_DEAD
   * @throws MissingPrerequisite when the outcome depends on whether the switch port reflects, and that is not known
   */
  static async run(network: ExchangeNetwork, from: Station, to: Station, options: ExchangeOptions): Promise<Exchange> {
    const {
      keepNeighbours = false,
      alwaysWitness = false,
      substitutes = {},
      group,
      family = group?.includes(':') ? 6 : 4,
      ...probe
    } = options;
    if (needsReflection(from, to) && isOnLink(from, to, family)) network.switch.requireKnownReflection(from.host);
    const third = Witness.find(network, from, to);
    const replacing = [substitutes.from, substitutes.to].filter((station) => station !== undefined);
    if (!keepNeighbours) await network.forgetNeighbours([from, to, ...(third ? [third] : []), ...replacing]);
    const since = mark();
    const target = group ?? addressOf(to, family, from);
    const running = await startPing(from.stack, target, group ? { ...probe, device: from.device } : probe);
    const exchange = new Exchange({
      network,
      from,
      to,
      token: running.token,
      since,
      family,
      target,
      substitutes,
    });
    await exchange.#settle(running, alwaysWitness);
    exchange.#conclude();
    await exchange.#checkClaimedReflection();
    exchange.until = Date.now() * 1000 + 999;
    exchange.#consulted = false;
    return exchange;
  }

  /** See `Lab.pingExpectingNoReply`. */
  static async runExpectingNoReply(network: ExchangeNetwork, from: Station, to: Station): Promise<Exchange> {
    await network.forgetNeighbours([from, to]);
    const since = mark();
    const target = addressOf(to, 4, from);
    const running = await startPing(from.stack, target);
    const exchange = new Exchange({ network, from, to, token: running.token, since, family: 4, target });
    let result: PingResult | undefined;
    const over = running.ended.then((value) => (result = value));
    const asked = async () =>
      result ?? (await readNeighbours(from.stack)).find(({ address, mac }) => address === target && mac === undefined);
    await poll(asked, { what: `${from.name} to ask for ${target}`, deadline: network.timeout(10_000) });
    await running.stop();
    exchange.ping = await over;
    exchange.reason = `ended as soon as ${from.name} had asked for ${target}`;
    exchange.until = Date.now() * 1000 + 999;
    exchange.#consulted = false;
    return exchange;
  }

  /** Whether its outcome or its frames were read since it ended. A test that reads neither asserts nothing about the exchange. */
  get wasConsulted(): boolean {
    return this.#consulted;
  }

  /**
   * - answered: the receiver got every request, and its replies arrived unchanged;
   * - misdelivered (astray): a reply came from another station, or with other content;
   * - lost: frames were sent and no reply arrived;
   * - refused: the sender's stack sent nothing.
   */
  get outcome(): Outcome {
    this.#consulted = true;
    const { received, transmitted, corrupted } = this.ping;
    if (received > 0 && received === transmitted)
      return corrupted || this.#stray || !this.receiverSawIt ? 'misdelivered' : 'answered';
    return this.ping.refusal === undefined ? 'lost' : 'refused';
  }

  /** A reply that ping accepted, although it is from another address or for a request that was never sent. */
  get #stray(): PingReply | undefined {
    const { replies, transmitted } = this.ping;
    // Any member of a group may answer.
    const isFromElsewhere = ({ from }: PingReply) =>
      !this.#toGroup && from.replace(/%.*/, '') !== asPrinted(this.target);
    return replies.find((reply) => isFromElsewhere(reply) || reply.sequence < 1 || reply.sequence > transmitted);
  }

  /** Percent. */
  get loss(): number {
    return this.ping.loss;
  }

  /**
   * Frames seen in a view so far during the exchange, without those of its witnesses: witnesses may overlap with the exchange, and their
   * frames could match the pattern of a test.
   * @throws MacvlabError CAPTURE_ENDED; NO_EVIDENCE when the frames have been discarded, so that none can be called missing
   */
  seen(view: View): Sighting[] {
    if (this.since.order < this.network.ledger.knownFrom) throw this.#forgotten();
    this.#consulted = true;
    const echoes = this.steps.slice(-2);
    return Sightings.from(seen(view, this.since)).filter(
      ({ frame, timeError }) =>
        (frame.time - timeError <= this.until && !this.witness.owns(frame)) ||
        // An echo with the exchange's token belongs to it, however late it is.
        echoes.some(({ pattern }) => pattern.matches(frame)),
    );
  }

  /**
   * Frames of the exchange itself seen in a view so far: its ARP or neighbour discovery, and echoes with its token. After {@link finish}, the
   * list is complete.
   */
  own(view: View): Sighting[] {
    return this.seen(view).filter(({ frame }) => this.steps.some(({ pattern }) => pattern.matches(frame)));
  }

  /**
   * All frames of the exchange itself in a view that it passes. If it was answered, this waits until its last frame there is decoded.
   * If it was lost, witnesses have passed the view already.
   */
  async allOwn(view: View): Promise<Sighting[]> {
    if (this.outcome === 'answered') {
      const last = this.steps.findLast(({ path }) => path.some(({ label }) => label === view.label));
      // An uplink is not in the path of its children: one of the two echoes passes it in each direction.
      await this.sees(view, ...(last ? [last.pattern] : this.steps.slice(-2).map(({ pattern }) => pattern)));
    }
    return this.own(view);
  }

  /**
   * Whether a frame that matches one of these patterns is seen in a view. Waits for frames that the capture has not yet delivered.
   * @throws MacvlabError CAPTURE_ENDED when the capture has ended, because a missing frame proves nothing then
   */
  async sees(view: View, ...patterns: FramePattern[]): Promise<boolean> {
    const look = () => patterns.some((pattern) => this.saw(view, pattern)) || undefined;
    const over = new AbortController();
    const looks = view.captures.map((capture) =>
      capture.changes.until(look, {
        what: 'a frame to be seen',
        deadline: capture.timeout(2000),
        signal: over.signal,
      }),
    );
    return (await firstOf(looks).finally(() => over.abort())) ?? false;
  }

  /** Whether a frame that matches this pattern was seen in a view so far. After {@link finish}, this is final. @throws MacvlabError CAPTURE_ENDED */
  saw(view: View, pattern: FramePattern): boolean {
    return this.seen(view).some(({ frame }) => pattern.matches(frame));
  }

  /**
   * Makes the frames seen in these views final. It sends witnesses past the views and waits for them; a frame that is missing afterwards
   * did not pass.
   * @throws MacvlabError CONTROL_FAILED, CAPTURE_DROPPED
   */
  async finish(views: readonly View[]): Promise<void> {
    const open = views.filter(({ label }) => !this.#finished.has(label));
    if (open.length === 0) return;
    await this.#outlast();
    // Frames of another exchange may look like those of this one. If no other has begun, all frames are its own.
    const isAlone =
      this.network.ledger.underWay === 0 &&
      this.network.ledger.exchanges.every(({ since }) => since.time <= this.since.time);
    if (isAlone) this.until = Date.now() * 1000 + 999;
    await this.witness.bracket(open);
    for (const { label } of open) this.#finished.add(label);
  }

  /** All frames of the exchange itself at all capture points, oldest first. */
  listing(): Sighting[] {
    const views = new Set(this.network.listening.captures);
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
      // Without a third station there are no witnesses: ping's own timeout ends the exchange, and a loss cannot be proved.
      if (!this.witness.canBeSent) await over;
      if (alwaysWitness) await this.witness.send();
      else await pause(gracePeriod + this.network.roundTrip, over);
      let control: unknown;
      for (let round = 1; !isOver(); round++) {
        const before = this.#progress();
        control = await this.witness.send().catch((error: unknown) => error);
        if (isOver() || control !== undefined) break;
        // After this, all frames captured before the witnesses are decoded.
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
      // Only a loss needs a control: the reply may have arrived while the control ran.
      if (control !== undefined) {
        // A capture that has ended means that the interface is gone, which explains the failed control: progress() throws that error.
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
   * Waits until the time bound has passed since the last frame of the exchange, for frames that witnesses may have overtaken.
   * @param over ends the wait early
   */
  async #outlast(over?: Promise<unknown>, isOver = () => false): Promise<void> {
    const bound = this.network.lateness ?? lateness;
    for (let round = 0; round < mostRounds && !isOver(); round++) {
      const last = this.listing().at(-1)?.frame.time ?? this.since.time;
      const rest = bound - (Date.now() - last / 1000);
      if (rest <= 0) return;
      await pause(rest, over);
    }
  }

  /** The views that witnesses pass: all views of both paths, except those of a station that has a substitute. */
  #witnessed(): View[] {
    const [there, back] = [pathBetween(this.from, this.to), pathBetween(this.to, this.from)];
    const without = (stood: Station | undefined, views: (View | undefined)[]) => (stood ? views : []);
    const left = new Set(
      [
        ...without(this.#substitutes.from, [there.at(0), back.at(-1)]),
        ...without(this.#substitutes.to, [there.at(-1), back.at(0)]),
      ].map((view) => view?.label),
    );
    return [...there, ...back].filter(({ label }) => !left.has(label));
  }

  /**
   * Waits until the request of an answered ping is seen at its receiver, because only a reply of the receiver counts.
   * The request has arrived already; only the capture may be late.
   */
  async #arrival(): Promise<void> {
    const request = this.steps.find(({ name }) => name === 'echo request');
    const view = request?.path.at(-1);
    if (!request || !view) return;
    this.receiverSawIt = await this.sees(view, request.pattern);
    // A reply without a captured request casts doubt on the capture, unless frames show that the request went to another station.
    if (!this.receiverSawIt && !this.#wentElsewhere(request)) await this.witness.bracket([view]);
  }

  /** Whether the request was sent to a group MAC, or to a MAC other than the receiver's after the sender resolved the address. */
  #wentElsewhere(request: Step): boolean {
    const [question] = this.steps;
    const [departure] = request.path;
    if (!question || !departure) return false;
    const addressee = this.#addressee(request, departure);
    if (addressee === undefined || addressee === this.to.mac) return false;
    return destinationClass(addressee) !== 'unicast' || this.saw(departure, question.pattern);
  }

  /** The destination MAC of a step's frame in a view. */
  #addressee({ pattern }: Step, view: View): string | undefined {
    return this.seen(view).find(({ frame }) => pattern.matches(frame))?.frame.ethernet?.destination;
  }

  /** Computes the drop point and the reason while all captures still run. */
  #conclude(): void {
    if (this.outcome === 'lost') this.dropPoint = this.#locateDrop();
    this.reason = this.#explain();
  }

  /**
   * Compares the inventory's `hairpin` claim about a hardware switch with the captured frames. Without this check, a wrong claim would look
   * like a kernel failure.
   * @throws MacvlabError SWITCH_CLAIM
   */
  async #checkClaimedReflection(): Promise<void> {
    const { from, to, network, target } = this;
    const [port, request] = [from.port, this.steps[0]];
    const claimed = network.switch.claimedReflection(from.host);
    const family = target.includes(':') ? 6 : 4;
    if (claimed === undefined || !port || !request || !needsReflection(from, to) || !isOnLink(from, to, family)) return;
    // After a loss, witnesses have passed. A reply may arrive before its request is decoded, and may have come without the switch.
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

  #locateDrop(): Exchange['dropPoint'] {
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
    if (!this.dropPoint) return `no frame of it was seen anywhere; ping says: ${this.ping.errors[0] ?? 'no reply'}`;
    const { step, last, missing } = this.dropPoint;
    if (missing && last) return `${step.name} ${describeDropPoint(last, missing)}`;
    const receiver = this.steps.indexOf(step) % 2 === 0 ? this.to : this.from;
    const addressee = last && this.#addressee(step, last);
    const misled = addressee && destinationClass(addressee) === 'unicast' && addressee !== receiver.mac;
    if (misled)
      return `${step.name} arrived at ${last.label}, addressed to ${addressee}, which is not ${receiver.name}’s`;
    if (step.name === 'echo reply') return `${step.name} arrived at ${last?.label}, and ping was not given it`;
    return `${step.name} arrived at ${last?.label}, and nothing came back from there`;
  }

  /** Resolves when the first frame of the exchange is seen at its sender. The caller also waits for the end of the ping. */
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
          deadline: capture.timeout(15_000),
          signal,
        }),
      ),
    ).catch((error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error;
    });
  }

  /** Which steps were seen in which views, as a string to compare. @throws MacvlabError CAPTURE_ENDED */
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
