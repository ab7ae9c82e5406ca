/** Makes a clock jump for the harness and for the frames that the kernel stamps. The machine's own clock does not change. */
import type { Session } from '../../remote/session.js';

/** @param sessions those with machines that use this machine's clock */
export function jump(milliseconds: number, sessions: Iterable<Session>): void {
  const now = Date.now.bind(Date);
  Date.now = () => now() + milliseconds;
  for (const session of sessions) {
    const { ahead, error } = session.clock;
    session.clock = { ahead: ahead - milliseconds * 1000, error };
  }
}
