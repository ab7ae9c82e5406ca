/** One representative test for each kind of prerequisite, for the short form. The set-up must have installed the programs that it calls. */
import { spawnSync } from 'node:child_process';
import type { Ended } from './fresh-machine.js';

export interface Representative {
  what: string;
  /** A shell command line that runs in the project's folder. */
  line: string;
  /** Returns why the test is red; undefined if it is green. */
  green: (ended: Ended) => string | undefined;
}

/** Runs unit tests. A skipped test is red, because the set-up promises all prerequisites. @param options for mocha */
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

/** Runs experiments. A skipped experiment is red. */
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
  unitTests('hosts: ssh, sudo', ['harness/machine/inventory/hosts*.test.js']),
  unitTests(
    'hosts: nft',
    ['harness/cli/switch-port/validate-switch*.test.js'],
    "--forbid-pending --grep 'room for two MAC addresses'",
  ),
  unitTests('oracles: tshark', ['harness/wire/protocol/tshark.test.js']),
  unitTests('oracles: cpio, lzop, xz', ['harness/image/cpio.test.js', 'harness/kernel/image/vmlinux.test.js']),
  unitTests('oracles: shellcheck', ['harness/cli/matrix/nightly.test.js']),
  experiments('a guest', '--lab vm --guests 1 A1.1'),
  experiments('an engine', '--lab sandbox X9.5'),
];

/** Tests that the newest commits have added or changed. The set-up must have installed the programs that they call. */
export function changedTests(root: string, since: string): Representative[] {
  const argv = ['-C', root, 'diff', '--name-only', '--diff-filter=AMR', since, 'HEAD', '--', '*.test.ts'];
  const files = spawnSync('git', argv, { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
  if (files.length === 0) return [];
  const compiled = files.map((file) => file.replace(/ts$/, 'js'));
  const changed = unitTests(`tests that changed since ${since}`, compiled, '--forbid-only');
  // All of them may be skipped there, with their reasons: those of an engine, for example.
  return [{ ...changed, green: ({ status }) => (status === 0 ? undefined : `exit code ${status}`) }];
}
