/**
 * Errors of the harness itself. Each has a stable code, and contains the failure, the evidence and the next step.
 * Unexpected behaviour of a kernel is not such an error, but a failed assertion.
 */

import { type ErrorCode, errorCodes } from './error-codes.js';

export { type ErrorCode, errorCodes, exitCode, verdictOfCode } from './error-codes.js';

export interface ErrorDetails {
  /** The evidence: last lines, exit status, a file's name. */
  evidence?: string | undefined;
  /** The one next step for the user. */
  next: string;
  cause?: unknown;
}

/** An error of the harness or its lab; `message` is the one-line form, `format()` the complete one. */
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

  /** The exit code of a command that ends with this error. */
  get exit(): number {
    return errorCodes[this.code].exit;
  }

  /** The error for the user: the failure, the evidence indented, the next step. */
  format(): string {
    const evidence = this.evidence ? `\n${this.evidence.replace(/^/gm, '    ')}` : '';
    return `${this.code}: ${this.message}${evidence}\n  next: ${this.next}`;
  }
}

/** Any thrown value as text for the user. */
export function formatError(error: unknown): string {
  if (error instanceof MacvlabError) return error.format();
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The one-line message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
