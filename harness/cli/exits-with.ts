/** Makes the result of an action the exit code of its command. */

/** Turns an action into one for commander, which sets the exit code of the process. Nothing else sets it. */
export function exitsWith<Given extends unknown[]>(
  action: (...given: Given) => Promise<number>,
): (...given: Given) => Promise<void> {
  return async (...given) => {
    process.exitCode = await action(...given);
  };
}
