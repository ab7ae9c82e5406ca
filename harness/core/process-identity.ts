/** Distinguishes a process from a later one with the same id. */
import { readFileSync } from 'node:fs';

/** A process, identified by its id and its start time: no two processes of one boot have both in common. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks from boot to the start of the process (proc(5), /proc/PID/stat, field 22). */
  startTime: number;
}

/** The process that has this id now; undefined when there is none, or only a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // Field 2 is the program's name in brackets, which may contain any character; the fields after it are counted from 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = 'X'] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, startTime: Number(fields[22 - 3]) };
}

/** Whether exactly this process is still running. */
export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  return identify(pid)?.startTime === startTime;
}
