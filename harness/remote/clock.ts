/** A machine's clock compared with the local clock, so that times of frames captured on several machines can be compared. */
import { timeOrigin } from '../core/clock.js';
import { within } from '../core/wait.js';
import type { ClockOffset } from './clock-offset.js';
import type { Session } from './session.js';

/** The number of requests; the fastest answer is the most accurate. */
const samples = 8;

/**
 * Prints the time as lines of busybox's adjtimex, from the system call of that name. date of busybox has no fractions
 * of a second, and a real host has no busybox.
 */
const answering = `tell='time.tv_sec: %s%ntime.tv_usec: %6N'
case $(date +%6N 2>/dev/null) in
[0-9][0-9][0-9][0-9][0-9][0-9]) while read -r _; do date "+$tell"; done ;;
*) while read -r _; do adjtimex; done ;;
esac`;

/**
 * Reads a machine's clock, as NTP does (RFC 5905, 8): the machine read it between the request and the answer.
 * @returns its clock's offset, and the shortest time in milliseconds until an answer
 * @throws MacvlabError WAIT_DEADLINE, REMOTE_DEAD
 */
export async function measureClock(session: Session): Promise<ClockOffset & { roundTrip: number }> {
  const clock = await session.start(['sh', '-c', answering]);
  let words = '';
  let wake = () => {};
  clock.stdout.setEncoding('utf8').on('data', (text: string) => {
    words += text;
    wake();
  });
  const ask = async () => {
    words = '';
    const origin = timeOrigin();
    /** Microseconds since the epoch by the local clock. */
    const now = () => (origin + performance.now()) * 1000;
    const asked = now();
    clock.stdin.write('\n');
    while (timeIn(words) === undefined) await new Promise<void>((resolve) => (wake = resolve));
    const took = now() - asked;
    return {
      ahead: Math.round((timeIn(words) ?? 0) - asked - took / 2),
      error: Math.ceil(took / 2),
      roundTrip: took / 1000,
    };
  };
  try {
    const answers = [];
    const what = `${session.name} to tell its time`;
    for (let count = 0; count < samples; count++)
      answers.push(
        await within(ask(), { what, deadline: session.timeout(10_000), signal: session.death, evidence: () => words }),
      );
    return answers.reduce((best, each) => (each.error < best.error ? each : best));
  } finally {
    clock.stdin.end();
  }
}

/** Microseconds since the epoch in the output of adjtimex, or date; undefined until it is complete. */
export function timeIn(words: string): number | undefined {
  const seconds = /time\.tv_sec: +(\d{1,12})\n/.exec(words)?.[1];
  const fraction = /time\.tv_usec: +(\d{1,9})\n/.exec(words)?.[1];
  return seconds === undefined || fraction === undefined ? undefined : Number(seconds) * 1e6 + Number(fraction);
}
