import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { errorCodes, recordCodes } from '../../core/error-codes.js';
import { errorPage, errorPageFile } from './error-page.js';
import { exitCodeOf } from '../../report/run/outcome.js';
import { resultsOf } from '../../report/run/results.test-support.js';

const pathOf = (file: string) => fileURLToPath(new URL(`../../../../${file}`, import.meta.url));

/** The cells of the only row of a code. */
function rowOf(code: string): string[] {
  const rows = errorPage()
    .split('\n')
    .filter((line) => line.startsWith(`| \`${code}\` |`));
  expect(rows, code).to.have.lengthOf(1);
  return (rows[0] ?? '').split(' | ');
}

describe('docs/errors.md', () => {
  it('is what the code says now (else: npm run docs:errors)', () => {
    expect(readFileSync(pathOf(errorPageFile), 'utf8')).to.equal(errorPage());
  });

  it('has one row for each code, with its exit code', () => {
    for (const [code, { exit }] of Object.entries({ ...errorCodes, ...recordCodes }))
      expect(rowOf(code)[2], code).to.equal(String(exit));
  });

  it('a panic, a bug of the kernel, a failed assertion: failed, and exit code 1 of the run', () => {
    for (const code of ['KERNEL_PANIC', 'KERNEL_DEFECT', 'ASSERTION'])
      expect(rowOf(code)[1], code).to.equal('`failed`');
    for (const code of ['KERNEL_STALL', 'LAB_DAMAGED', 'INTERNAL']) expect(rowOf(code)[1], code).to.equal('`error`');
    for (const verdict of ['failed', 'error'] as const) {
      const exit = exitCodeOf(resultsOf([verdict]));
      expect(errorPage()).to.include(`${exit} for \`${verdict}\``);
    }
  });
});
