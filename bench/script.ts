/** The shell scripts for comparison with macvlab. They are next to their sources, not in the compiled folder. */
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';

/** Path of a script in `bench/`. */
export function scriptPath(name: string): string {
  return fileURLToPath(new URL(`../../bench/${name}`, import.meta.url));
}

/** Runs a script of `bench/` to its end; returns its output. @throws ProcessOutput when it fails, with its output */
export async function runScript(name: string, argumentList: readonly string[] = []): Promise<string> {
  const { stdout } = await $({ quiet: true })`${scriptPath(name)} ${argumentList}`;
  return stdout;
}
