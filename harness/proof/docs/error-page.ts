/** Generates docs/errors.md from the code. `npm run docs:errors` writes it, and a test fails if it is out of date. */
import { errorCodes, recordCodes, verdictOfCode } from '../../core/error-codes.js';
import { exitOfVerdict } from '../../report/run/outcome.js';

/** Path of the page in the project. */
export const errorPageFile = 'docs/errors.md';

/** The page as Markdown. */
export function errorPage(): string {
  return [
    '# Errors',
    '',
    '<!-- Generated from harness/core/error-codes.ts by `npm run docs:errors`; do not edit it here. -->',
    '',
    'An error reports what failed, what was seen, and one next step. Its code is the same in records, JUnit files and on the',
    'terminal, and does not change between versions. This page gives the general meaning of each code; the `next:` line of the error',
    'itself is more specific.',
    '',
    '- **verdict**: the verdict of a test that ends with this error. `failed` blames the kernel or the switch; `error` blames neither.',
    `  The exit code of the run is then ${exitOfVerdict('failed')} for \`failed\` and ${exitOfVerdict('error')} for \`error\`.`,
    '- **otherwise**: the exit code of a command that ends with this error outside of any test, for example because a guest crashed',
    '  while it booted.',
    '',
    ...table(errorCodes),
    '',
    '## Other codes in records and reports',
    '',
    ...table(recordCodes),
    '',
  ].join('\n');
}

interface Row {
  exit: number;
  means: string;
  next: string;
}

function table(codes: Readonly<Record<string, Row>>): string[] {
  return [
    '| code | verdict | otherwise | what it means | what to do |',
    '|---|---|---|---|---|',
    ...Object.entries(codes).map(
      ([code, { exit, means, next }]) =>
        `| \`${code}\` | \`${verdictOfCode(code)}\` | ${exit} | ${cell(means)} | ${cell(next)} |`,
    ),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
