/**
 * A command of the user's that sets a switch which nothing else can: called as `COMMAND hairpin node1 on`, it ends with 0 when the
 * port is so, and with 3 when this switch cannot do that, which its last line on standard error explains.
 */
import { MacvlabError } from '../core/error.js';
import { patience } from '../core/wait.js';
import { Lacking } from './lacking.js';

/** The exit status that says "this switch cannot do that". */
const cannot = 3;

/** Milliseconds; a switch that is asked over its own slow interface may take its time. */
const deadline = 60_000;

/**
 * Runs the command.
 * @param words what it is to do: "hairpin", "node1", "on"
 * @throws Lacking when it says that the switch cannot do that
 * @throws MacvlabError LAB_DAMAGED when it fails, or does not end
 */
export async function runHook(command: readonly string[], words: readonly string[]): Promise<void> {
  const argv = [...command, ...words];
  // Loaded here, since hardly any lab has such a command.
  const { $ } = await import('zx');
  const run = $({ quiet: true, nothrow: true, stdio: ['ignore', 'ignore', 'pipe'], timeout: patience(deadline) });
  const { exitCode: status, stderr } = await run`${argv}`;
  const [last = ''] = stderr.trim().split('\n').slice(-1);
  if (status === 0) return;
  if (status === cannot)
    throw new Lacking('switch', `the switch cannot be set (${words.join(' ')}): ${last || 'its command says no more'}`);
  throw new MacvlabError('LAB_DAMAGED', `the switch command failed: ${words.join(' ')}`, {
    evidence: `$ ${argv.join(' ')}\n${stderr.trimEnd()}\nended with ${status ?? 'no status: it was killed, or could not be started'}`,
    next: 'run it by hand; it must end with status 0 when the port is so, and with 3 when the switch cannot do that',
  });
}
