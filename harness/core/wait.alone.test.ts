import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { MacvlabError } from './error.js';
import { Changes, noteWaits, timeout, pause, poll, type WaitNote, within } from './wait.js';

const never = new Promise<never>(() => undefined);

/** The error of a promise that must be rejected. */
async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => expect.fail(`it did not fail, but gave ${String(value)}`),
    (error: unknown) => error,
  );
}

async function deadlineOf(work: Promise<unknown>): Promise<MacvlabError> {
  const error = await errorOf(work);
  expect(error).to.be.instanceOf(MacvlabError);
  expect((error as MacvlabError).code).to.equal('WAIT_DEADLINE');
  return error as MacvlabError;
}

/** The number of active timers. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** The unhandled rejections during some work. */
async function unhandledIn(work: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  }
  return unhandled;
}

describe('waiting', () => {
  let before = 0;
  beforeEach(() => (before = timers()));
  afterEach(() => expect(timers(), 'timers that are left').to.be.at.most(before));

  describe('within a deadline', () => {
    it('gives what the work gives, and rejects with what it rejects with', async () => {
      expect(await within(Promise.resolve(7), { what: 'seven', deadline: 1000 })).to.equal(7);
      const error = new Error('no');
      expect(await errorOf(within(Promise.reject(error), { what: 'seven', deadline: 1000 }))).to.equal(error);
    });

    it('ends with what was awaited, the evidence of that moment and the next step', async () => {
      let words = 'early';
      const work = within(never, {
        what: 'tcpdump to listen',
        deadline: 20,
        evidence: () => words,
        next: 'look at the interface',
      });
      words = 'late';
      const error = await deadlineOf(work);
      expect(error.message).to.equal('waited 20 ms for tcpdump to listen');
      expect(error.evidence).to.equal('late');
      expect(error.next).to.equal('look at the interface');
    });

    it('ends no sooner than its deadline, and not much later', async () => {
      const began = performance.now();
      await deadlineOf(within(never, { what: 'nothing', deadline: 50 }));
      expect(performance.now() - began).to.be.within(48, 300);
    });

    it('ends at once with the signal’s reason', async () => {
      const controller = new AbortController();
      const work = errorOf(within(never, { what: 'x', deadline: 5000, signal: controller.signal }));
      const reason = new Error('the lab is gone');
      controller.abort(reason);
      expect(await work).to.equal(reason);
      expect(await errorOf(within(never, { what: 'x', deadline: 5000, signal: controller.signal }))).to.equal(reason);
    });

    it('is told of when it is over, either way, for as long as somebody wants to know', async () => {
      const notes: WaitNote[] = [];
      noteWaits((note) => notes.push(note));
      try {
        await within(pause(20), { what: 'a moment', deadline: 1000 });
        await deadlineOf(within(never, { what: 'nothing', deadline: 10 }));
      } finally {
        noteWaits(undefined);
      }
      await within(Promise.resolve(1), { what: 'one', deadline: 1000 });
      expect(notes.map(({ what, deadline }) => [what, deadline])).to.deep.equal([
        ['a moment', 1000],
        ['nothing', 10],
      ]);
      expect(notes[0]?.took).to.be.within(18, 500);
    });

    it('leaves no listener on the signal', async () => {
      const { signal } = new AbortController();
      await within(Promise.resolve(1), { what: 'x', deadline: 1000, signal });
      await errorOf(within(Promise.reject(new Error('no')), { what: 'x', deadline: 1000, signal }));
      await deadlineOf(within(never, { what: 'x', deadline: 1, signal }));
      expect(getEventListeners(signal, 'abort')).to.be.empty;
    });

    it('lets no failure of abandoned work go unhandled', async () => {
      const aborted = AbortSignal.abort(new Error('gone'));
      const unhandled = await unhandledIn(async () => {
        await errorOf(within(Promise.reject(new Error('late')), { what: 'x', deadline: 1000, signal: aborted }));
        const late = new Promise((_, reject) => setTimeout(() => reject(new Error('later')), 3));
        await deadlineOf(within(late, { what: 'x', deadline: 1 }));
        await late.catch(() => undefined);
      });
      expect(unhandled).to.be.empty;
    });
  });

  describe('for changes', () => {
    it('looks at once, and again at each change, until there is something', async () => {
      const changes = new Changes();
      const given: number[] = [];
      expect(await changes.until(() => 'there already', { what: 'x', deadline: 10 })).to.equal('there already');
      let looks = 0;
      const found = changes.until(() => (looks++, given[0]), { what: 'a number', deadline: 1000 });
      changes.notify();
      expect(looks).to.equal(2);
      given.push(0);
      changes.notify();
      expect(await found, 'zero is something').to.equal(0);
      changes.notify();
      expect(looks, 'nobody looks any more').to.equal(3);
    });

    it('wakes all who wait', async () => {
      const changes = new Changes();
      let state = 0;
      const waits = [1, 2, 3].map((n) => changes.until(() => state >= n || undefined, { what: 'x', deadline: 1000 }));
      for (state = 1; state < 3; state++) changes.notify();
      changes.notify();
      expect(await Promise.all(waits)).to.deep.equal([true, true, true]);
    });

    it('fails all waiting, now and later, with the first failure', async () => {
      const changes = new Changes();
      const waiting = errorOf(changes.until(() => undefined, { what: 'x', deadline: 1000 }));
      const first = new Error('tcpdump died');
      changes.fail(first);
      changes.fail(new Error('and the machine as well'));
      expect(await waiting).to.equal(first);
      expect(await errorOf(changes.until(() => undefined, { what: 'x', deadline: 1000 }))).to.equal(first);
    });

    it('gives what is there in spite of a failure', async () => {
      const changes = new Changes();
      changes.fail(new Error('over'));
      expect(await changes.until(() => 'seen before', { what: 'x', deadline: 10 })).to.equal('seen before');
    });

    it('fails with what looking throws', async () => {
      const changes = new Changes();
      let broken = false;
      const look = () => {
        if (broken) throw new RangeError('unreadable');
        return undefined;
      };
      const waiting = errorOf(changes.until(look, { what: 'x', deadline: 1000 }));
      broken = true;
      changes.notify();
      expect(await waiting).to.be.instanceOf(RangeError);
    });

    it('keeps to the deadline and the signal, and stops looking then', async () => {
      const changes = new Changes();
      let looks = 0;
      const look = () => (looks++, undefined);
      await deadlineOf(changes.until(look, { what: 'x', deadline: 5 }));
      await errorOf(changes.until(look, { what: 'x', deadline: 1000, signal: AbortSignal.abort(new Error('x')) }));
      const known = looks;
      changes.notify();
      expect(looks).to.equal(known);
    });

    it('lets no failure go unhandled when the signal was there before', async () => {
      const changes = new Changes();
      changes.fail(new Error('over'));
      const signal = AbortSignal.abort(new Error('gone'));
      const unhandled = await unhandledIn(() =>
        errorOf(changes.until(() => undefined, { what: 'x', deadline: 10, signal })),
      );
      expect(unhandled).to.be.empty;
    });
  });

  describe('by polling', () => {
    it('looks until there is something', async () => {
      let looks = 0;
      const look = () => Promise.resolve(++looks === 4 ? 'fourth' : undefined);
      expect(await poll(look, { what: 'x', deadline: 1000 })).to.equal('fourth');
    });

    it('ends with its deadline, and with what looking throws', async () => {
      const error = await deadlineOf(
        poll(() => Promise.resolve(undefined), { what: 'carrier', deadline: 20, evidence: () => 'down' }),
      );
      expect(error.message).to.equal('waited 20 ms for carrier');
      expect(error.evidence).to.equal('down');
      expect(
        await errorOf(poll(() => Promise.reject(new RangeError('x')), { what: 'x', deadline: 20 })),
      ).to.be.instanceOf(RangeError);
    });

    it('keeps to the deadline even if looking never ends', async () => {
      await deadlineOf(poll(() => never, { what: 'a look', deadline: 20 }));
    });

    it('ends at once with the signal’s reason, in the middle of a look', async () => {
      const controller = new AbortController();
      const work = errorOf(poll(() => never, { what: 'x', deadline: 5000, signal: controller.signal }));
      const reason = new Error('gone');
      controller.abort(reason);
      expect(await work).to.equal(reason);
      expect(getEventListeners(controller.signal, 'abort')).to.be.empty;
    });
  });

  describe('as a grace period', () => {
    it('lasts as long as it should', async () => {
      const began = performance.now();
      await pause(30);
      expect(performance.now() - began).to.be.within(28, 300);
    });

    it('ends early when something else settles, either way', async () => {
      const began = performance.now();
      await pause(5000, Promise.resolve());
      await pause(
        5000,
        Promise.reject(new Error('whoever waits for it hears of it')).catch(() => undefined),
      );
      await pause(5000, Promise.reject(new Error('it settled all the same')));
      expect(performance.now() - began).to.be.below(1000);
    });
  });

  describe('with a timeout factor', () => {
    const known = process.env.MACVLAB_TIMEOUT_FACTOR;
    afterEach(() => {
      if (known === undefined) delete process.env.MACVLAB_TIMEOUT_FACTOR;
      else process.env.MACVLAB_TIMEOUT_FACTOR = known;
    });

    it('multiplies deadlines, and takes nonsense for one', () => {
      delete process.env.MACVLAB_TIMEOUT_FACTOR;
      expect(timeout(100)).to.equal(100);
      for (const [value, expected] of [
        ['4', 400],
        ['0.5', 50],
        ['', 100],
        ['0', 100],
        ['-2', 100],
        ['Infinity', 100],
        ['much', 100],
      ] as const) {
        process.env.MACVLAB_TIMEOUT_FACTOR = value;
        expect(timeout(100), value).to.equal(expected);
      }
    });
  });
});
