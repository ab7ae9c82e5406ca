/**
 * The assertions of tests about exchanges, frames and links: chai, with this project's own words. A failed assertion
 * shows what was expected, and the captured exchange.
 */
import * as chai from 'chai';
import { MacvlabError } from '../core/error.js';
import { EngineRefusal } from '../engine/refusal.js';
import { Exchange } from '../exchange/exchange.js';
import { LinkError } from '../link/errno.js';
import { type LinkInfo, macvlanMode } from '../link/link-info.js';
import type { View } from '../wire/capture-point.js';
import type { FramePattern } from '../wire/pattern.js';
import { noteAssertion, noteFailure, noteNamed, notePending, noteStatement } from './counting.js';
import { formatExchange } from './listing.js';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- chai's types are extended in its own namespace
  namespace Chai {
    interface Assertion {
      /** All requests of the ping were answered. */
      answered(): void;
      /** Frames were sent and no reply arrived; with views: the missing frame was lost between these two. */
      lost(last?: View, missing?: View): void;
      /** The request arrived in this view, and no reply came from there. */
      unansweredAt(view: View): void;
      /** Such a frame was seen in each of these views; with `not`, in none of them, although witnesses passed all. */
      seen(pattern: FramePattern, ...views: View[]): Promise<void>;
      /** Such a frame was seen this many times in the view; a witness proves that the number is final. */
      seenTimes(count: number, pattern: FramePattern, view: View): Promise<void>;
      /** The link is a macvlan of this mode. */
      macvlanMode(mode: string): void;
      /** The link has this flag: "UP", "PROMISC", "LOWER_UP". */
      linkFlag(flag: string): void;
      /** The kernel refused the change, for this reason when one is given ("EBUSY"). */
      refused(errno?: string): Promise<LinkError>;
      /** The container engine refused the request, with such a message. */
      refusedByEngine(words: RegExp): Promise<EngineRefusal>;
    }
  }
}

/** This flag leads from an assertion to its expect(): chai passes flags along a chain of words. */
const statement = 'macvlab statement';
/** This flag marks an expect() of this file. chai's own stays unchanged, because all code of a process shares one chai. */
const own = 'macvlab own';
/** This flag marks an assertion that awaits its subject. */
const awaiting = 'macvlab awaiting';

/** The assertions above, by name. */
const ownWords = [
  ...['answered', 'lost', 'unansweredAt', 'seen', 'seenTimes'],
  ...['macvlanMode', 'linkFlag', 'refused', 'refusedByEngine'],
] as const satisfies (keyof Chai.Assertion)[];

const extended = chai.use(({ Assertion }, utilities) => {
  const flag = (assertion: object, name: string): unknown => utilities.flag(assertion, name) as unknown;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called below with the assertion that it belongs to
  const check = Assertion.prototype.assert as (this: unknown, ...details: unknown[]) => void;
  Assertion.prototype.assert = function count(this: unknown, ...details: unknown[]) {
    if (flag(this as object, own) !== true) return check.apply(this, details);
    state(this as object);
    const object = flag(this as object, 'object');
    if (object instanceof Promise && flag(this as object, awaiting) !== true) throw aboutPromise();
    if (object instanceof Exchange) {
      const [, said, saidNot] = details as [unknown, string, string];
      [object.expected] = (flag(this as object, 'negate') === true ? saidNot : said).split('\n');
    }
    try {
      check.apply(this, details);
    } catch (error) {
      if (error instanceof Error && object instanceof Exchange) about.set(error, object);
      // chai tries some of its own assertions, all of them locked, and catches their errors.
      if (flag(this as object, 'lockSsfi') !== true) noteFailure(error);
      throw error;
    }
  };
  const subject = (assertion: object) => flag(assertion, 'object');

  const state = (assertion: object) => noteAssertion(flag(assertion, statement));

  /** Adds an asynchronous assertion. If a test does not await it, the counter of assertions does. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as chai declares what it adds
  const addAsync = (name: string, method: (this: Chai.AssertionStatic, ...details: any[]) => Promise<unknown>) => {
    Assertion.addMethod(name, function later(this: Chai.AssertionStatic, ...details: unknown[]) {
      state(this);
      utilities.flag(this, awaiting, true);
      const settled = method.apply(this, details);
      settled.catch(() => undefined);
      notePending(settled);
      return settled;
    });
  };

  Assertion.addMethod('answered', function answered() {
    const exchange = exchangeIn(subject(this));
    const said = `expected ${who(exchange)} to be`;
    this.assert(
      exchange.outcome === 'answered',
      told(`${said} answered`, exchange),
      told(`${said} lost`, exchange),
      0,
      exchange.loss,
    );
  });

  Assertion.addMethod('lost', function lost(last?: View, missing?: View) {
    const exchange = exchangeIn(subject(this));
    if (exchange.outcome === 'lost' && !exchange.dropPoint) throw nothingSeen(exchange);
    const said = `expected ${who(exchange)} to be`;
    this.assert(
      exchange.outcome === 'lost',
      told(`${said} lost`, exchange),
      told(`${said} answered`, exchange),
      100,
      exchange.loss,
    );
    if (!last) return;
    const broken = exchange.dropPoint;
    const where = `lost between ${last.label} and ${missing?.label ?? 'whatever comes next'}`;
    const asExpected = broken?.last?.label === last.label && (!missing || broken.missing?.label === missing.label);
    this.assert(asExpected, told(`${said} ${where}`, exchange), told(`${said} lost, but not ${where}`, exchange));
  });

  Assertion.addMethod('unansweredAt', function unansweredAt(view: View) {
    const exchange = exchangeIn(subject(this));
    const broken = exchange.dropPoint;
    const arrived = exchange.outcome === 'lost' && broken?.last?.label === view.label && !broken.missing;
    const said = `expected ${who(exchange)} to arrive at ${view.label} and to stay unanswered there`;
    this.assert(arrived, told(said, exchange), told(said.replace('expected', 'did not expect'), exchange));
  });

  addAsync('seen', async function seen(this: Chai.AssertionStatic, pattern: FramePattern, ...views: View[]) {
    const exchange = exchangeIn(subject(this));
    if (views.length === 0) throw new TypeError('seen() needs the views in which to look');
    const negated = flag(this, 'negate') === true;
    // A frame that is there needs no witness. Later witnesses prove that a frame is missing.
    const isThere = !negated && (await Promise.all(views.map((view) => exchange.sees(view, pattern)))).every(Boolean);
    if (!isThere) await exchange.finish(views);
    for (const view of views) {
      const said = `${pattern.description} to be seen at ${view.label}`;
      this.assert(
        exchange.saw(view, pattern),
        told(`expected ${said}`, exchange),
        told(`did not expect ${said}`, exchange),
      );
    }
  });

  addAsync(
    'seenTimes',
    async function seenTimes(this: Chai.AssertionStatic, count: number, pattern: FramePattern, view: View) {
      const exchange = exchangeIn(subject(this));
      await exchange.finish([view]);
      const actual = exchange.seen(view).filter(({ frame }) => pattern.matches(frame)).length;
      const said = `expected ${pattern.description} to be seen ${count} times at ${view.label}, it was seen ${actual} times`;
      this.assert(actual === count, told(said, exchange), told(said, exchange), count, actual);
    },
  );

  Assertion.addMethod('macvlanMode', function mode(expected: string) {
    const link = subject(this) as LinkInfo;
    const actual = macvlanMode(link);
    const said = `expected ${link.ifname} to be a macvlan of mode ${expected}, it is ${actual ?? link.linkinfo?.info_kind ?? 'none'}`;
    this.assert(actual === expected, said, said, expected, actual);
  });

  Assertion.addMethod('linkFlag', function linkFlag(expected: string) {
    const link = subject(this) as LinkInfo;
    const said = `${link.ifname} to have flag ${expected}; it has ${link.flags.join(',')}`;
    this.assert(link.flags.includes(expected), `expected ${said}`, `did not expect ${said}`);
  });

  addAsync('refused', async function refused(this: Chai.AssertionStatic, errno?: string) {
    const change = subject(this) as Promise<unknown>;
    const outcome = await change.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (outcome !== undefined && !(outcome instanceof LinkError)) throw outcome as Error;
    const said = `expected the kernel to refuse this${errno ? ` with ${errno}` : ''}`;
    // A missing device is a mistake of the test, not a refusal.
    const isThere = outcome !== undefined && !/Cannot find device|No such/.test(outcome.stderr);
    const asExpected = isThere && outcome.code === 'LINK_REFUSED' && (errno === undefined || outcome.errno === errno);
    this.assert(asExpected, `${said}, it ${outcome ? `said: ${outcome.stderr}` : 'accepted it'}`, `${said} not`);
    return outcome;
  });

  addAsync('refusedByEngine', async function refusedByEngine(this: Chai.AssertionStatic, words: RegExp) {
    const outcome = await (subject(this) as Promise<unknown>).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (outcome !== undefined && !(outcome instanceof EngineRefusal)) throw outcome as Error;
    const said = `expected the container engine to refuse this with ${words}`;
    const asExpected = outcome !== undefined && words.test(outcome.words);
    this.assert(asExpected, `${said}, it ${outcome ? `said: ${outcome.words}` : 'did it'}`, `${said} not`);
    return outcome;
  });

  // The name of such an assertion alone asserts nothing, even after an earlier assertion in the chain.
  for (const name of ownWords) {
    const method = (Assertion.prototype as unknown as Record<string, unknown>)[name];
    const get = function named(this: object) {
      noteNamed(flag(this, statement));
      return method;
    };
    Object.defineProperty(Assertion.prototype, name, { get, configurable: true });
  }
});

/** chai's expect(), with a subject: the counter detects a call that asserts nothing. */
export const expect: Chai.ExpectStatic = Object.assign(
  (value: unknown, message?: string) => {
    const assertion = extended.expect(value, message);
    extended.util.flag(assertion, own, true);
    const one = noteStatement();
    if (one) extended.util.flag(assertion, statement, one);
    return assertion;
  },
  { fail: extended.expect.fail.bind(extended.expect) },
) as Chai.ExpectStatic;

/** A promise always exists: a test must assert its result. */
function aboutPromise(): MacvlabError {
  return new MacvlabError('NO_EVIDENCE', 'an assertion is about a promise, and not about what it brings', {
    next: 'await it: expect(await …)',
  });
}

/** A loss is a frame that was seen at one view and not at the next; without any frame, nothing is proved. */
function nothingSeen(exchange: Exchange): MacvlabError {
  return new MacvlabError('NO_EVIDENCE', `no frame of ${who(exchange)} was seen anywhere`, {
    evidence: exchange.reason,
    next: 'look whether it was sent at all, and whether the captures see what its sender sends',
  });
}

function exchangeIn(value: unknown): Exchange {
  if (value instanceof Exchange) return value;
  throw new TypeError('this assertion is about an exchange: expect(await lab.ping(a, b))');
}

function who({ from, to, target }: Exchange): string {
  return `the ping from ${from.name} to ${to.name} (${target})`;
}

/** The exchange of a failed assertion: at the time of the report, more of its frames may have arrived. */
export function exchangeOf(error: unknown): Exchange | undefined {
  return error instanceof Error && about.has(error) ? about.get(error) : undefined;
}

const about = new WeakMap<Error, Exchange>();

function told(expectation: string, exchange: Exchange): string {
  return `${expectation}\n${formatExchange(exchange)}`;
}
