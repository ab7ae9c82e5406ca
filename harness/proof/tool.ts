/** The common part of the proofs' programs: options, usage errors, and exit codes. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { exitCode, formatError, MacvlabError, messageOf } from '../core/error.js';

/** Runs a program with its arguments. @returns its exit code, also for an error, which is printed */
export async function runTool(main: (args: string[]) => Promise<number>): Promise<number> {
  try {
    return await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${formatError(error)}\n`);
    return error instanceof MacvlabError ? error.exit : exitCode.lab;
  }
}

/** Parses the options and other arguments. @throws MacvlabError USAGE */
export function parseTool<T extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const names = Object.keys(options).map((name) => `--${name}`);
    throw usage(messageOf(error), `the options are ${names.join(' ')}`);
  }
}

/** Parses the integer value of an option. @throws MacvlabError USAGE */
export function wholeNumber(name: string, given: string, least = 1): number {
  const number = Number(given);
  if (/^\d+$/.test(given) && Number.isSafeInteger(number) && number >= least) return number;
  throw usage(`--${name} ${given} cannot be`, `give a whole number of at least ${least}`);
}

/** Creates a usage error of a command line. */
export function usage(message: string, next: string): MacvlabError {
  return new MacvlabError('USAGE', message, { next });
}
