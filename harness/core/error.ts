/**
 * Errors of the harness itself. Each has a stable code, says what failed, shows the evidence and names the next step.
 * A kernel that does not do what is expected is no error of ours: that is a failed assertion.
 */

import { type ErrorCode, errorCodes } from './error-codes.js';

export { type ErrorCode, errorCodes, exitCode, verdictOfCode } from './error-codes.js';

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
