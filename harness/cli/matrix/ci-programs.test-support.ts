/** The programs that CI scripts call, for tests that run such scripts on this machine. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quoteArgument } from '../../remote/quote.js';
import { main } from '../command-line.test-support.js';

/**
 * Puts programs into a folder that precedes the machine's own in PATH. npm and the set-up only add a line to $NOTES.
 * `npx macvlab` is the command line as built. A kernel does not run: $LEFT/<name> contains its results, `reports/`, and
 * its exit code in `status`.
 */
export function putCiPrograms(folder: string): void {
  mkdirSync(folder);
  const [node, cli] = [process.execPath, main].map(quoteArgument);
  const note = (program: string) => `printf '%s\\n' "${program} $*" >>"$NOTES"`;
  const programs = {
    npm: note('npm'),
    node: `[[ $1 == harness/setup/main.mjs ]] || exec ${node} "$@"\n${note('node')}`,
    npx: [
      '[[ $1 == macvlab ]] || exit 64',
      'shift',
      `if [[ $1 != matrix || " $* " == *' --plan '* ]]; then exec ${node} ${cli} "$@"; fi`,
      // The command line is valid, and names one kernel.
      `${node} ${cli} matrix --plan text "\${@:2}" || exit $?`,
      `[[ " $* " =~ ' --kernels '([^=]+)= ]] || exit 64`,
      'left=$LEFT/${BASH_REMATCH[1]}',
      'if [[ -e $left/reports ]]; then cp --archive "$left/reports" .; fi',
      'exit "$(<"$left/status")"',
    ].join('\n'),
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/usr/bin/env bash\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
}
