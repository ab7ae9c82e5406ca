/**
 * Runs many commands of ip or bridge in one process. On an emulated CPU, a process start takes five times as long as a
 * kernel request.
 */
import type { CommandResult } from '../remote/session.js';
import type { NetworkStack } from '../remote/network-stack.js';

/** The result of a line: undefined if it succeeded, otherwise its error output. */
export type Complaint = string | undefined;

/** Not an object of ip(8) or bridge(8): a line that fails without a kernel request, so that it shows how far the process came. */
const milestone = 'milestone';

/**
 * Runs command lines of one program one after the other, also after errors. A line with an unknown word ends iproute2;
 * another process runs the lines after it.
 * @param program "ip" or "bridge"
 * @param lines each a command without the program; no word may be empty or contain a blank
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
    // A missing program fails for all further lines in the same way.
    complaints.push(...(result.status === notFound ? rest.map(() => told[0]) : told));
  }
  return complaints;
}

/** sh's exit status for a missing program (POSIX, 2.8.2). */
const notFound = 127;

/**
 * The result of each line, up to the one that ended the process. Line i is number 2i + 1 of the batch, its milestone 2i
 * + 2. For a failed line, iproute2 prints its number after the error (lib/utils.c, do_batch).
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
