/**
 * A rollback on a host itself, for experiments that may cut the way to it: a process there, outside of the lab, that hears a sign of
 * life from us every second. When it hears none for {@link silence}, it puts the network card back as it was; also when this
 * process is killed. A connection outlives such a cut: TCP sends again.
 */
import { MacvlabError, messageOf } from '../../core/error.js';
import { patience, pause, within } from '../../core/wait.js';
import { quoteCommand } from '../../remote/quote.js';
import { beat } from '../lifeline.js';
import { enter } from '../ssh-way.js';
import type { HostAddress } from './machine.js';
import { wayTo } from './ssh-command.js';

/**
 * Seconds. Long enough for a slow moment of ours; short enough that what TCP sends again after it (RFC 6298, 5.5: after 6 s, then 13 s)
 * arrives before ssh gives the connection up.
 */
const silence = 5;

/** A rollback that is armed. */
export interface Rollback {
  /** How often it had to bring the card back. */
  readonly times: number;
  /** Ends it without touching anything, and waits until the host has taken it down; idempotent. */
  disarm(): Promise<void>;
}

/**
 * Arms a rollback.
 * @param commands what puts the card back; performed where nothing has changed they change nothing
 * @throws MacvlabError LAB_OPEN
 */
export async function armRollback(address: HostAddress, commands: readonly (readonly string[])[]): Promise<Rollback> {
  const held = enter(wayTo(address), ['sh', '-c', script(commands)]);
  const { socket, child, ended } = held;
  let said = '';
  const armed = new Promise<void>((resolve, reject) => {
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('armed')) resolve();
    });
    socket.on('error', () => undefined);
    void ended.then(() => reject(new Error('its shell has ended')));
  });
  try {
    await within(armed, { what: `a rollback on ${address.name}`, deadline: patience(60_000) });
  } catch (error) {
    child.kill('SIGKILL');
    throw new MacvlabError('LAB_OPEN', `${address.name} could not be given a rollback: ${messageOf(error)}`, {
      evidence: held.words(),
      next: 'run without --allow-cut: what may cut the way to the host is left out then',
      cause: error,
    });
  }
  void beat(held, 1000);
  let disarming: Promise<void> | undefined;
  const disarm = async () => {
    if (socket.writable) socket.end('q');
    await pause(patience(10_000), ended);
    child.kill('SIGKILL');
  };
  return {
    get times() {
      return said.split('restored').length - 1;
    },
    disarm: () => (disarming ??= disarm()),
  };
}

/** What the host performs. timeout(1) ends with 124 when the time is over, that of busybox with 143; head ends with 0 when we are gone. */
function script(commands: readonly (readonly string[])[]): string {
  return [
    "trap '' HUP PIPE TERM INT",
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'restore() {',
    ...commands.map((argv) => `${quoteCommand(argv)} >/dev/null 2>&1`),
    'echo restored',
    '}',
    'echo armed',
    'while :; do',
    `heard=$(timeout ${silence} head -c 1); status=$?`,
    'case "$heard" in q) exit 0 ;; ?) continue ;; esac',
    'restore 2>/dev/null',
    '[ $status != 0 ] || exit 0',
    'done',
  ].join('\n');
}
