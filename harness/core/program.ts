/** Runs programs of this machine to their end, with argument lists. */
import { type ErrorCode, MacvlabError } from './error.js';

export interface ProgramOptions {
  /** The action, as in an error: "unpack the kernel". */
  what: string;
  /** The error's code; default PROGRAM_FAILED. */
  code?: ErrorCode;
  /** The error's next step. */
  next: string;
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  input?: string | Buffer;
  /** Ends the program early, and rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end.
 * @returns its standard output, as bytes
 * @throws MacvlabError with the program's last output when it fails or cannot be started
 */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<Buffer> {
  // Loaded here, because most runs start no program on this machine.
  const { $ } = await import('zx');
  const { what, code = 'PROGRAM_FAILED', next, cwd, env, input, signal } = options;
  const run = $({
    quiet: true,
    nothrow: true,
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, LC_ALL: 'C', ...env },
    ...(input === undefined ? { stdio: ['ignore', 'pipe', 'pipe'] } : { input }),
    ...(signal ? { signal } : {}),
  });
  const result = await run`${[...argv]}`;
  signal?.throwIfAborted();
  if (result.exitCode === 0) return result.buffer();
  throw new MacvlabError(code, `could not ${what}: ${argv[0]} ended with status ${result.exitCode}`, {
    evidence: `$ ${argv.join(' ')}\n${result.stderr.slice(-4000)}`,
    next,
  });
}
