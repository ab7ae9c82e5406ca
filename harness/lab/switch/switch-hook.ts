/**
 * The user's command that sets a switch which macvlab cannot set. It is called as `COMMAND hairpin node1 on`. It exits
 * with 0 when the port has that setting. It exits with 3 when this switch cannot do that; its last line on standard
 * error explains why.
 */
import { MacvlabError } from '../../core/error.js';
import { timeout } from '../../core/wait.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';

/** The exit status that means "this switch cannot do that". */
const cannot = 3;

/** Milliseconds; a switch with a slow management interface may take long. */
const deadline = 60_000;

/**
 * Runs the command.
 * @param words its arguments: "hairpin", "node1", "on"
 * @throws MissingPrerequisite when it reports that the switch cannot do that
 * @throws MacvlabError LAB_DAMAGED when it fails, or does not end
 */
export async function runHook(command: readonly string[], words: readonly string[]): Promise<void> {
  const argv = [...command, ...words];
  // Loaded here, because few labs have such a command.
  const { $ } = await import('zx');
  const run = $({ quiet: true, nothrow: true, stdio: ['ignore', 'ignore', 'pipe'], timeout: timeout(deadline) });
  const { exitCode: status, stderr } = await run`${argv}`;
  const [last = ''] = stderr.trim().split('\n').slice(-1);
  if (status === 0) return;
  if (status === cannot)
    throw new MissingPrerequisite(
      'switch',
      `the switch cannot be set (${words.join(' ')}): ${last || 'its command says no more'}`,
    );
  throw new MacvlabError('LAB_DAMAGED', `the switch command failed: ${words.join(' ')}`, {
    evidence: `$ ${argv.join(' ')}\n${stderr.trimEnd()}\nended with ${status ?? 'no status: it was killed, or could not be started'}`,
    next: 'run it by hand; it must end with status 0 when the port is so, and with 3 when the switch cannot do that',
  });
}
