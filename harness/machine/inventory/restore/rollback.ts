/**
 * A rollback on a host itself, for experiments that may cut the connection to it. A process there, outside of the lab,
 * receives a sign of life from macvlab every second. After {@link silence} without one, it restores the NIC, also if
 * this process is killed. A connection survives such a cut: TCP retransmits.
 */
import { MacvlabError, messageOf } from '../../../core/error.js';
import { timeout, pause, within } from '../../../core/wait.js';
import { quoteCommand } from '../../../remote/quote.js';
import { beat } from '../../../remote/tether.js';
import { enter } from '../../../remote/ssh-way.js';
import type { HostAddress } from '../file/machine.js';
import { wayTo } from '../reach/ssh-command.js';

/**
 * Seconds. Long enough for a delay in this process. Short enough that a later TCP retransmission (RFC 6298, 5.5:
 * after 6 s, then 13 s) arrives before ssh gives up the connection.
 */
const silence = 5;

/** An armed rollback. */
export interface Rollback {
  /** How often it has restored the NIC. */
  readonly times: number;
  /** Ends it without any change, and waits until it has ended on the host; idempotent. */
  disarm(): Promise<void>;
}

/**
 * Arms a rollback.
 * @param commands restore the NIC; they change nothing on an unchanged NIC
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
    await within(armed, { what: `a rollback on ${address.name}`, deadline: timeout(60_000) });
  } catch (error) {
    child.kill('SIGKILL');
    throw new MacvlabError('LAB_OPEN', `${address.name} could not be given a rollback: ${messageOf(error)}`, {
      evidence: held.words(),
      next: 'run without --allow-disconnect: what may cut the way to the host is left out then',
      cause: error,
    });
  }
  void beat(held, 1000);
  let disarming: Promise<void> | undefined;
  const disarm = async () => {
    if (socket.writable) socket.end('q');
    await pause(timeout(10_000), ended);
    child.kill('SIGKILL');
  };
  return {
    get times() {
      return said.split('restored').length - 1;
    },
    disarm: () => (disarming ??= disarm()),
  };
}

/** The script on the host. timeout(1) ends with 124 after the time, that of busybox with 143; head ends with 0 when macvlab is gone. */
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
