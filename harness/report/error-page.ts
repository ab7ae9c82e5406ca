/** docs/errors.md, made from the code alone: `npm run docs:errors` writes it, and a test tells when it is behind. */
import { errorCodes } from '../core/error-codes.js';

/** Where it stands in the project. */
export const errorPageFile = 'docs/errors.md';

/** Codes that stand in records beside those of the harness (harness/run/failure.ts). */
const codesOfRecords = {
  ASSERTION: {
    exit: 1,
    means: 'a test failed: the kernel or the switch did not do what was expected',
    next: 'look at the frames and pcaps in the evidence; the test’s repro.sh repeats its steps without macvlab',
  },
  INTERNAL: {
    exit: 3,
    means: 'macvlab or a suite has a bug',
    next: 'report it with the stack that stands there',
  },
} as const;

/** The page as Markdown. */
export function errorPage(): string {
  return [
    '# Errors',
    '',
    '<!-- Made from harness/core/error-codes.ts by `npm run docs:errors`; do not edit it here. -->',
    '',
    'An error says what failed, shows what was seen, and names the one thing to try next; its code stays the same between',
    'versions, and stands in records, JUnit files and on the terminal. What follows is what each code means in general: the',
    '`next:` line of the error itself knows more. An error is never a verdict on the kernel, but for those that say so.',
    '',
    ...table(errorCodes),
    '',
    '## Other codes in records and reports',
    '',
    ...table(codesOfRecords),
    '',
  ].join('\n');
}

function table(codes: Record<string, { exit: number; means: string; next: string }>): string[] {
  return [
    '| code | exit code | what it means | what to do |',
    '|---|---|---|---|',
    ...Object.entries(codes).map(
      ([code, { exit, means, next }]) => `| \`${code}\` | ${exit} | ${cell(means)} | ${cell(next)} |`,
    ),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
