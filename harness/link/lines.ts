/**
 * Many commands of ip or bridge, performed by one process: where a CPU is translated, it costs five times as much to start one as to
 * have it ask the kernel.
 */
import type { CommandResult } from '../remote/session.js';
import type { NetworkStack } from '../remote/network-stack.js';

/** What one of them has ended with: undefined when it was performed, and what was printed when not. */
export type Complaint = string | undefined;

/** No object of ip(8) or bridge(8): a line that fails without asking the kernel anything, so that it tells how far the process came. */
const milestone = 'milestone';

/**
 * Performs command lines of one program one after the other, whatever becomes of those before. A line's error ends iproute2 when it
 * is about a word that it does not know; what is behind it is performed by another process.
 * @param program "ip" or "bridge"
 * @param lines each a command without the program; no word may be empty or have a blank in it
 */
export async function performLines(
  stack: NetworkStack,
  program: string,
  lines: readonly (readonly string[])[],
): Promise<Complaint[]> {
  const complaints: Complaint[] = [];
  while (complaints.length < lines.length) {
    const rest = lines.slice(complaints.length);
    const stdin = rest.map((words) => `${words.join(' ')}\n${milestone}\n`).join('');
    const result = await stack.run([program, '-force', '-batch', '-'], 'change', { stdin });
    const told = readComplaints(result, rest.length);
    // Who could not even begin will not do better with the next line.
    complaints.push(...(result.status === notFound ? rest.map(() => told[0]) : told));
  }
  return complaints;
}

/** sh's exit status for a program that is not there (POSIX, 2.8.2). */
const notFound = 127;

/**
 * What became of each line, up to that which ended the process. Line i is number 2i + 1 of the batch, its milestone 2i + 2; of a line
 * that fails, iproute2 says so behind its complaint (lib/utils.c, do_batch).
 */
export function readComplaints(
  { stderr, status, signal }: Pick<CommandResult, 'stderr' | 'status' | 'signal'>,
  count: number,
): Complaint[] {
  const failures = new Map<number, string>();
  let read = 0;
  for (const match of stderr.matchAll(/^Command failed -:(\d+)\n/gm)) {
    failures.set(Number(match[1]), stderr.slice(read, match.index));
    read = match.index + match[0].length;
  }
  const complaints: Complaint[] = [];
  for (let index = 0; index < count; index += 1) {
    const passed = failures.has(2 * index + 2);
    const last = stderr.slice(read).trim() || `it ended with ${signal ?? `status ${status}`}`;
    complaints.push(passed ? failures.get(2 * index + 1)?.trim() : last);
    if (!passed) break;
  }
  return complaints;
}
