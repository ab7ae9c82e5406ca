/**
 * Errors of the harness itself. Each has a stable code, says what failed, shows the evidence and names the next step.
 * A kernel that does not do what is expected is no error of ours: that is a failed assertion.
 */

/** Exit codes of the command line (architecture: "Exit codes"); the last two only with `run --bisect` (report/bisect-exit.ts). */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  lab: 3,
  interrupted: 130,
  cannotTell: 125,
  endsBisection: 128,
} as const;

/** Every error code, with the exit code that it leads to and what it stands for. */
export const errorCodes = {
  USAGE: { exit: exitCode.usage, means: 'the command line or configuration is wrong' },
  NOT_ROOT: { exit: exitCode.lab, means: 'the lab needs root, and this process is not root' },
  TOOL_MISSING: { exit: exitCode.lab, means: 'a program that the lab needs is not installed' },
  OUT_NOT_WRITABLE: { exit: exitCode.usage, means: 'the folder for reports cannot be written' },
  PROGRAM_FAILED: { exit: exitCode.lab, means: 'a program of this machine failed' },
  CACHE_DAMAGED: { exit: exitCode.lab, means: 'a file of the cache is not whole' },
  CACHE_NOT_WRITABLE: { exit: exitCode.lab, means: 'the cache of kernels and guest images cannot be written' },
  KERNEL_UNKNOWN: { exit: exitCode.usage, means: 'there is no such kernel' },
  KERNEL_FETCH: { exit: exitCode.lab, means: 'a kernel or a guest’s programs could not be fetched' },
  KERNEL_UNSUITABLE: { exit: exitCode.lab, means: 'a kernel lacks what a guest needs to boot' },
  ENGINE_MISSING: { exit: exitCode.lab, means: 'there is no container engine, or it does not answer' },
  ENGINE_REFUSED: { exit: exitCode.lab, means: 'a container engine cannot or will not do what the lab needs' },
  VAGRANT_MISSING: { exit: exitCode.lab, means: 'there is no Vagrant, or its provider is missing or does not answer' },
  VAGRANT_FAILED: { exit: exitCode.lab, means: 'the lab’s machines could not be made or reached by Vagrant' },
  HOST_UNREACHABLE: { exit: exitCode.lab, means: 'a host of the inventory does not answer' },
  HOST_KEY: { exit: exitCode.lab, means: 'a host’s key is unknown, or not the one that is known' },
  HOST_REFUSED: { exit: exitCode.lab, means: 'a host does not let this user in' },
  HOST_SUDO: { exit: exitCode.lab, means: 'this user cannot become root on a host' },
  HOST_LACKS: { exit: exitCode.lab, means: 'a host lacks a program, or a right, that a lab needs' },
  HOST_NIC: { exit: exitCode.lab, means: 'a host’s network card is not there, or cannot carry the experiments' },
  HOST_ADDRESSES: { exit: exitCode.lab, means: 'there are no addresses to use, or somebody uses them' },
  HOST_LOST: { exit: exitCode.lab, means: 'the connection with a host was lost while it was in use' },
  GUEST_START: { exit: exitCode.lab, means: 'a guest could not be started' },
  GUEST_DIED: { exit: exitCode.lab, means: 'a guest’s QEMU ended' },
  KERNEL_PANIC: { exit: exitCode.lab, means: 'the kernel under test panicked' },
  KERNEL_DEFECT: { exit: exitCode.lab, means: 'the kernel under test has reported a bug of its own' },
  KERNEL_STALL: { exit: exitCode.lab, means: 'the kernel under test got no processor for long' },
  LAB_OPEN: { exit: exitCode.lab, means: 'the lab could not be built' },
  LAB_DAMAGED: { exit: exitCode.lab, means: 'a part of the lab failed while it was in use' },
  LAB_UNKNOWN: { exit: exitCode.usage, means: 'no such lab is running' },
  REMOTE_CONNECT: { exit: exitCode.lab, means: 'an SSH session could not be opened' },
  REMOTE_DEAD: { exit: exitCode.lab, means: 'an SSH session ended while it was in use' },
  REMOTE_DEADLINE: { exit: exitCode.lab, means: 'a remote command did not end within its deadline' },
  REMOTE_COMMAND: { exit: exitCode.lab, means: 'a remote command that must succeed ended with another exit status' },
  REMOTE_COPY: { exit: exitCode.lab, means: 'a file could not be copied' },
  LINK_UNSUPPORTED: { exit: exitCode.lab, means: 'the kernel does not know this kind of link or setting' },
  LINK_REFUSED: { exit: exitCode.lab, means: 'the kernel knows the setting and refused it' },
  LINK_IGNORED: { exit: exitCode.lab, means: 'the kernel accepted a setting and did not take it over' },
  LINK_UNREADABLE: { exit: exitCode.lab, means: 'the output of ip or bridge could not be read back' },
  CAPTURE_START: { exit: exitCode.lab, means: 'tcpdump did not begin to listen' },
  CAPTURE_ENDED: { exit: exitCode.lab, means: 'a capture ended while it was needed' },
  CAPTURE_DROPPED: { exit: exitCode.lab, means: 'a capture lost frames, so that a missing frame proves nothing' },
  PROBE_UNREADABLE: { exit: exitCode.lab, means: 'the output of ping or arping could not be read' },
  CONTROL_FAILED: { exit: exitCode.lab, means: 'the positive control did not pass, so that a loss proves nothing' },
  CLOCK_JUMPED: { exit: exitCode.lab, means: 'this machine’s clock was set while a test compared times with it' },
  WAIT_DEADLINE: { exit: exitCode.lab, means: 'something awaited did not happen within its deadline' },
  UNDO_FAILED: { exit: exitCode.lab, means: 'something that was created could not be taken away again' },
  NO_EVIDENCE: { exit: exitCode.lab, means: 'a test asserted nothing, so that its passing proves nothing' },
  WORKER_DIED: { exit: exitCode.lab, means: 'the process that performed a kernel of a matrix ended by itself' },
  INTERRUPTED: { exit: exitCode.interrupted, means: 'the run was interrupted' },
} as const satisfies Record<string, { exit: number; means: string }>;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetails {
  /** What was seen: last lines, exit status, a file's name. */
  evidence?: string | undefined;
  /** The one thing to try next. */
  next: string;
  cause?: unknown;
}

/** An error of the harness or its lab; `message` is the one-line form, `format()` the whole. */
export class MacvlabError extends Error {
  override readonly name = 'MacvlabError';
  readonly code: ErrorCode;
  readonly evidence: string | undefined;
  readonly next: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.evidence = details.evidence?.trimEnd() || undefined;
    this.next = details.next;
  }

  /** The exit code that a command ends with when this error reaches it. */
  get exit(): number {
    return errorCodes[this.code].exit;
  }

  /** The error as a person reads it: what failed, the evidence indented, the next step. */
  format(): string {
    const evidence = this.evidence ? `\n${this.evidence.replace(/^/gm, '    ')}` : '';
    return `${this.code}: ${this.message}${evidence}\n  next: ${this.next}`;
  }
}

/** Any thrown value as a person reads it. */
export function formatError(error: unknown): string {
  if (error instanceof MacvlabError) return error.format();
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The one-line message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
