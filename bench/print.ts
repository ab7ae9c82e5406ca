/** The output of measurements. */

/** One line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** "48.0 ms" below a tenth of a second, "0.147 s" below ten seconds, "153.2 s" above. */
export function duration(milliseconds: number): string {
  if (milliseconds < 100) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(3)} s` : `${(milliseconds / 1000).toFixed(1)} s`;
}
