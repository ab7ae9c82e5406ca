/** One representative test of each kind of need, for the short form: what it calls must have been installed by the set-up. */
import { spawnSync } from 'node:child_process';
import type { Ended } from './fresh-machine.js';

export interface Representative {
  what: string;
  /** For the shell, in the project's folder. */
  line: string;
  /** Why it is red. */
  green: (ended: Ended) => string | undefined;
}

/** Runs unit tests; a skipped one is red, since all that it needs is promised. @param options for mocha */
function unitTests(what: string, files: readonly string[], options = '--forbid-pending'): Representative {
  const specs = files.map((file) => `'dist/${file}'`).join(' ');
  return {
    what,
    line: `npx mocha --no-config --timeout 60000 --reporter dot ${options} ${specs}`,
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
  unitTests('hosts: ssh, sudo', ['harness/lab/inventory/hosts*.test.js']),
  unitTests(
    'hosts: nft',
    ['harness/cli/validate-switch*.test.js'],
    "--forbid-pending --grep 'room for two MAC addresses'",
  ),
  unitTests('oracles: tshark', ['harness/wire/tshark.test.js']),
  unitTests('oracles: cpio, lzop, xz', ['harness/lab/vm/cpio.test.js', 'harness/kernel/vmlinux.test.js']),
  unitTests('oracles: shellcheck', ['harness/cli/nightly.test.js']),
  experiments('a guest', '--lab vm --guests 1 A1.1'),
  experiments('an engine', '--lab sandbox X9.5'),
];

/** Tests that the newest commits have added or changed: what they call must have been installed as well. */
export function changedTests(root: string, since: string): Representative[] {
  const argv = ['-C', root, 'diff', '--name-only', '--diff-filter=AMR', since, 'HEAD', '--', '*.test.ts'];
  const files = spawnSync('git', argv, { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
  if (files.length === 0) return [];
  const compiled = files.map((file) => file.replace(/ts$/, 'js'));
  return [unitTests(`tests that changed since ${since}`, compiled, '--forbid-only')];
}
