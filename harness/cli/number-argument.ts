/** Numbers on the command line. */
import { InvalidArgumentError } from 'commander';

/** A whole number from 1. @throws InvalidArgumentError, which commander turns into its own message */
export function positiveNumber(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('Give a whole number from 1.');
}
