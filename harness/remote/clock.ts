/** A machine's clock against ours, so that times of frames captured on several machines can be compared. */
import { within } from '../core/wait.js';
import type { Session } from './session.js';

/** Microseconds. */
export interface ClockOffset {
  /** How far the machine's clock is ahead of ours. */
  ahead: number;
  /** How far off `ahead` may be, either way. */
  error: number;
}

/** The clock of a machine that is this machine. */
export const sameClock: ClockOffset = { ahead: 0, error: 0 };

/** Questions asked; the one that was answered the quickest says the most. */
const samples = 8;

/**
 * Lines as adjtimex of busybox prints them, of what the call of that name says: date of busybox knows no fractions of a second, and
 * a real host has no busybox.
 */
const answering = `tell='time.tv_sec: %s%ntime.tv_usec: %6N'
case $(date +%6N 2>/dev/null) in
[0-9][0-9][0-9][0-9][0-9][0-9]) while read -r _; do date "+$tell"; done ;;
*) while read -r _; do adjtimex; done ;;
esac`;

/**
 * Asks a machine for its time, as NTP does (RFC 5905, 8): it read its clock somewhere between our question and its answer.
 * @returns its clock's offset, and the shortest time in milliseconds that an answer took
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
        await within(ask(), { what, deadline: session.patience(10_000), signal: session.death, evidence: () => words }),
      );
    return answers.reduce((best, each) => (each.error < best.error ? each : best));
  } finally {
    clock.stdin.end();
  }
}

/** Microseconds since the epoch by our clock. */
function now(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** Microseconds since the epoch in what adjtimex, or date, has printed; undefined until it is whole. */
export function timeIn(words: string): number | undefined {
  const seconds = /time\.tv_sec: +(\d{1,12})\n/.exec(words)?.[1];
  const fraction = /time\.tv_usec: +(\d{1,9})\n/.exec(words)?.[1];
  return seconds === undefined || fraction === undefined ? undefined : Number(seconds) * 1e6 + Number(fraction);
}
