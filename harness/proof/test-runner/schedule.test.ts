import { expect } from 'chai';
import { pause } from '../../core/wait.js';
import { laneOf, lanes, type Lane, type LaneName } from './lanes.js';
import { type Job, remaining, schedule } from './schedule.js';

const twoLanes: readonly Lane[] = [
  { name: 'guest', limit: 1, alone: false },
  { name: 'local', limit: 2, alone: false },
  { name: 'alone', limit: 1, alone: true },
];

/** Jobs that record which other jobs run at the same time. */
class Jobs {
  readonly beside = new Map<string, Set<string>>();
  readonly order: string[] = [];
  readonly #running = new Set<string>();

  job(name: string, lane: LaneName, expected?: number, work: () => Promise<void> = () => pause(10)): Job<string> {
    return {
      name,
      lane,
      expected,
      run: async () => {
        this.order.push(name);
        this.#running.add(name);
        for (const each of this.#running) for (const other of this.#running) this.#note(each, other);
        await work();
        this.#running.delete(name);
        return name;
      },
    };
  }

  #note(one: string, other: string): void {
    const known = this.beside.get(one) ?? new Set();
    if (one !== other) known.add(other);
    this.beside.set(one, known);
  }
}

describe('the schedule of test files', () => {
  it('a lane with a limit: no more of its jobs run at once, and other lanes run beside it', async () => {
    const jobs = new Jobs();
    const [guests, locals] = [
      ['a', 'b', 'c'],
      ['x', 'y', 'z'],
    ];
    const all = guests.map((name) => jobs.job(name, 'guest')).concat(locals.map((name) => jobs.job(name, 'local')));
    const results = await schedule(all, { lanes: twoLanes, most: 9 });
    expect([...results].sort()).to.deep.equal([...guests, ...locals]);
    for (const guest of guests)
      expect([...jobs.beside.get(guest)!].filter((other) => guests.includes(other))).to.deep.equal([]);
    expect(
      Math.max(...locals.map((name) => [...jobs.beside.get(name)!].filter((other) => locals.includes(other)).length)),
    ).to.be.at.least(1);
    expect(jobs.beside.get('a')!.size).to.be.at.least(1);
  });

  it('a limit for all lanes together: no more jobs run at once', async () => {
    const jobs = new Jobs();
    const names = ['a', 'x', 'y', 'z'];
    const all = names.map((name) => jobs.job(name, name === 'a' ? 'guest' : 'local'));
    await schedule(all, { lanes: twoLanes, most: 1 });
    for (const name of names) expect(jobs.beside.get(name)!.size, name).to.equal(0);
  });

  it('jobs that need the machine alone: they run last, and nothing beside them', async () => {
    const jobs = new Jobs();
    await schedule([jobs.job('t', 'alone'), jobs.job('u', 'alone'), jobs.job('a', 'guest'), jobs.job('x', 'local')], {
      lanes: twoLanes,
      most: 9,
    });
    expect(jobs.beside.get('t')!.size + jobs.beside.get('u')!.size).to.equal(0);
    expect(jobs.order.slice(2).sort()).to.deep.equal(['t', 'u']);
  });

  it('known durations: the longest job of a lane begins first, and an unknown one before it', async () => {
    const jobs = new Jobs();
    await schedule([jobs.job('short', 'guest', 5), jobs.job('long', 'guest', 500), jobs.job('new', 'guest')], {
      lanes: twoLanes,
      most: 9,
    });
    expect(jobs.order).to.deep.equal(['new', 'long', 'short']);
  });

  it('an abort: no further job begins, and those that run come to their end', async () => {
    const jobs = new Jobs();
    const stop = new AbortController();
    const first = jobs.job('first', 'guest', 9, async () => {
      stop.abort();
      await pause(20);
    });
    expect(
      await schedule([first, jobs.job('second', 'guest', 1)], { lanes: twoLanes, signal: stop.signal }),
    ).to.deep.equal(['first']);
    expect(jobs.order).to.deep.equal(['first']);
  });

  it('a job that throws: its error is thrown, after the other jobs have ended', async () => {
    const jobs = new Jobs();
    let ended = false;
    const slow = jobs.job('slow', 'local', 1, async () => {
      await pause(30);
      ended = true;
    });
    const bad = jobs.job('bad', 'guest', 1, () => Promise.reject(new Error('no disk')));
    const error = await schedule([bad, slow], { lanes: twoLanes, most: 9 }).catch((each: unknown) => each);
    expect(error).to.have.property('message', 'no disk');
    expect(ended).to.equal(true);
  });

  it('the remaining time: the longest lane counts, and what runs alone comes on top', () => {
    const jobs = new Jobs();
    const all = [
      jobs.job('a', 'guest', 100),
      jobs.job('b', 'guest', 50),
      jobs.job('x', 'local', 80),
      jobs.job('y', 'local', 20),
      jobs.job('t', 'alone', 7),
    ];
    const elapsed = (job: Job<string>) => (job.name === 'a' ? 60 : 0);
    expect(remaining(all, elapsed, twoLanes)).to.equal(97);
    expect(remaining(all, () => 0, twoLanes)).to.equal(157);
    expect(remaining([...all, jobs.job('new', 'local'), jobs.job('newer', 'local')], elapsed, twoLanes)).to.equal(
      undefined,
    );
    expect(remaining([], elapsed, twoLanes)).to.equal(0);
  });

  it("a file's name: its last word but one is its lane", () => {
    expect(laneOf('harness/machine/vm/vm.guest.test.js')).to.equal('guest');
    expect(laneOf('wait.alone.test.ts')).to.equal('alone');
    expect(laneOf('harness/machine/detached/detached-labs.test.js')).to.equal('local');
    expect(laneOf('harness/lab/guest.test.js')).to.equal('local');
    for (const { name } of lanes) expect(laneOf(`x.${name}.test.ts`)).to.equal(name);
  });
});
