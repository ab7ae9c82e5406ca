/** One representative test of each kind of need, for the short form: what it calls must have been installed by the set-up. */
import type { Ended } from './fresh-machine.js';

export interface Representative {
  what: string;
  /** For the shell, in the project's folder. */
  line: string;
  /** Why it is red. */
  green(ended: Ended): string | undefined;
}

/** Runs unit tests; a skipped one is red, since all that it needs is promised. */
function unitTests(what: string, files: readonly string[], titles?: string): Representative {
  const only = titles === undefined ? '' : ` --grep '${titles}'`;
  const specs = files.map((file) => `'dist/harness/${file}'`).join(' ');
  return {
    what,
    line: `npx mocha --no-config --timeout 60000 --reporter dot --forbid-pending${only} ${specs}`,
    green({ status, lines }) {
      if (status !== 0) return `exit code ${status}`;
      return lines.some(({ text }) => /^ *[1-9]\d* passing/.test(text)) ? undefined : 'no test ran';
    },
  };
}

/** Runs experiments; a skipped one is red. */
function experiments(what: string, options: string): Representative {
  return {
    what,
    line: `npx macvlab run --reporter lines ${options}`,
    green({ status, lines }) {
      if (status !== 0) return `exit code ${status}`;
      const sum = lines.map(({ text }) => /^(\d+) passed, 0 failed, 0 skipped$/.exec(text)?.[1]).findLast(Boolean);
      return Number(sum) > 0 ? undefined : 'not every experiment passed';
    },
  };
}

export const needs: readonly Representative[] = [
  experiments('the sandbox', '--lab sandbox A1.1 A1.4'),
  unitTests('hosts: ssh, sudo', ['lab/inventory/hosts*.test.js']),
  unitTests('hosts: nft', ['cli/validate-switch*.test.js'], 'room for two MAC addresses'),
  unitTests('oracles: tshark', ['wire/tshark.test.js']),
  unitTests('oracles: cpio, lzop, xz', ['lab/vm/cpio.test.js', 'kernel/vmlinux.test.js']),
  unitTests('oracles: shellcheck', ['cli/nightly.test.js']),
  experiments('a guest', '--lab vm --guests 1 A1.1'),
  experiments('an engine', '--lab sandbox X9.5'),
];
