/** A clock that jumps: for the harness, and for the frames that the kernel stamps. The machine's own clock is left alone. */
import type { Session } from '../remote/session.js';

/** @param sessions those with the machines, whose clock is this machine's own */
export function jump(milliseconds: number, sessions: Iterable<Session>): void {
  const now = Date.now.bind(Date);
  Date.now = () => now() + milliseconds;
  for (const session of sessions) {
    const { ahead, error } = session.clock;
    session.clock = { ahead: ahead - milliseconds * 1000, error };
  }
}
