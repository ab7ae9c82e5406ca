import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { skipWithoutRoot, TestSandbox } from '../machine/sandbox/sandbox.test-support.js';
import { measureClock, timeIn } from './clock.js';
import { quoteArgument } from './quote.js';
import type { Session } from './session.js';

describe('what a clock says', () => {
  it('is a time, or not yet one', () => {
    expect(timeIn('time.tv_sec: 1795277791\ntime.tv_usec: 12\n')).to.equal(1795277791000012);
    for (const digits of ['', '-', '9'.repeat(400)]) {
      expect(timeIn(`time.tv_sec: 1795277791\ntime.tv_usec: ${digits}\n`), digits).to.equal(undefined);
    }
  });
});

/** A real machine whose adjtimex the tests replace: it prints any time, with any delay and in any number of pieces. */
describe('a machine’s clock (needs root)', function clock() {
  this.timeout(20_000);
  let sandbox: TestSandbox;

  beforeEach(async function () {
    skipWithoutRoot(this);
    sandbox = await TestSandbox.open();
    await sh('mount -t tmpfs own /usr/local/bin');
    // As in a guest, which has the date of busybox.
    await program('date', 'case "$*" in *6N*) echo 6N ;; *) exec /bin/date "$@" ;; esac');
  });
  afterEach(() => sandbox?.close());

  async function sh(script: string): Promise<string> {
    const { stdout, stderr, status } = await sandbox.machine.run(['sh', '-c', script]);
    expect(status, stderr).to.equal(0);
    return stdout;
  }

  async function program(name: string, ...lines: string[]): Promise<void> {
    const text = ['#!/bin/sh', ...lines, ''].join('\n');
    await sh(`printf %s ${quoteArgument(text)} >/usr/local/bin/${name}; chmod +x /usr/local/bin/${name}`);
  }

  /** Replaces adjtimex with a script. @param script `now` prints the machine's microseconds since the epoch */
  async function adjtimex(script: string): Promise<void> {
    await program('adjtimex', 'now() { t=$(date +%s%N); echo "${t%???}"; }', script);
  }

  /** The output of busybox 1.37, of which two lines count; `$t` is in microseconds. */
  const printed = [
    'echo "    mode:         0"',
    'echo "-o  offset:       0 us"',
    'echo "-t  tick:         10000 us"',
    'echo "    time.tv_sec:  $((t / 1000000))"',
    'echo "    time.tv_usec: $((t % 1000000))"',
    'echo "    return value: 5 (clock not synchronized)"',
  ].join('; ');

  /** Microseconds by which a measured offset is wrong. */
  const wrongBy = ({ ahead }: { ahead: number }, really: number) => Math.abs(ahead - really);

  for (const [what, offset] of [
    ['the same', 0],
    ['ahead by five seconds and a half', 5_500_000],
    ['behind by a day', -86_400_000_000],
  ] as const) {
    it(`that is ${what} is found to be so, within the error that is told`, async () => {
      await adjtimex(`t=$(($(now) + ${offset})); ${printed}`);
      const clock = await measureClock(sandbox.machine);
      expect(clock.error).to.be.within(1, 1_000_000);
      expect(clock.roundTrip * 1000).to.be.within(clock.error * 2 - 2, clock.error * 2);
      expect(wrongBy(clock, offset)).to.be.at.most(clock.error);
    });
  }

  it('is compared with the time of day of now, also when that was set after the start of this process', async () => {
    await adjtimex(`t=$(now); ${printed}`);
    const now = Date.now.bind(Date);
    Date.now = () => now() + 5_000;
    const clock = await measureClock(sandbox.machine).finally(() => (Date.now = now));
    expect(wrongBy(clock, -5_000_000)).to.be.at.most(clock.error);
  });

  it('is asked of date where that knows fractions of a second, and there is no busybox', async () => {
    await sh('rm /usr/local/bin/date');
    const clock = await measureClock(sandbox.machine);
    expect(clock.error).to.be.within(1, 1_000_000);
    expect(wrongBy(clock, 0)).to.be.at.most(clock.error);
  });

  it('is told by the quickest of all answers, wherever that stands', async () => {
    // All other samples read the clock at once and answer a fifth of a second later: their error is half of that.
    const answers = '/run/macvlab/answers';
    await adjtimex(
      `echo >>${answers}; t=$(($(now) + 7000000)); [ $(wc -l <${answers}) -eq 5 ] || sleep 0.2; ${printed}`,
    );
    const clock = await measureClock(sandbox.machine);
    expect(clock.error).to.be.below(90_000);
    expect(wrongBy(clock, 7_000_000)).to.be.at.most(clock.error);
    expect((await sh(`wc -l <${answers}`)).trim()).to.equal('8');
  });

  it('is read only when the answer is whole, in however many pieces it comes', async () => {
    // A stopped clock, in 2001.
    const really = 999_870_400_987_654;
    const [seconds, fraction] = [String(really).slice(0, 9), String(really).slice(9)];
    const pieces = [
      `    time.tv_sec:  ${seconds.slice(0, 4)}`,
      `${seconds.slice(4)}\\n    time.tv_`,
      `usec: ${fraction.slice(0, 3)}`,
    ];
    const slowly = pieces.map((piece) => `printf "${piece}"; sleep 0.01`).join('; ');
    await adjtimex(`${slowly}; printf "${fraction.slice(3)}\\n"`);
    const asked = Date.now() * 1000;
    const clock = await measureClock(sandbox.machine);
    const answered = (Date.now() + 1) * 1000;
    expect(really - clock.ahead).to.be.within(asked, answered);
    expect(clock.error).to.be.above(15_000);
  });

  it('asks nothing more when it has been told', async () => {
    await adjtimex(`t=$(now); ${printed}`);
    await measureClock(sandbox.machine);
    expect(await sh('for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline; echo; done')).to.not.include('while read');
  });

  it('cannot be measured when the session ends meanwhile: at once, and with its reason', async () => {
    await adjtimex('sleep 30');
    const session: Session = await sandbox.connect('passing');
    const measuring = measureClock(session);
    const began = performance.now();
    session.close();
    const error = await measuring.then(
      () => expect.fail('it was measured'),
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(MacvlabError).with.property('code', 'REMOTE_DEAD');
    expect(performance.now() - began).to.be.below(5000);
  });
});
