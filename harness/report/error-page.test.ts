import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { errorCodes } from '../core/error-codes.js';
import { errorPage, errorPageFile } from './error-page.js';

const pathOf = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url));

describe('docs/errors.md', () => {
  it('is what the code says now (else: npm run docs:errors)', () => {
    expect(readFileSync(pathOf(errorPageFile), 'utf8')).to.equal(errorPage());
  });

  it('has one row for each code, with its exit code', () => {
    for (const [code, { exit }] of Object.entries(errorCodes))
      expect(
        errorPage().match(new RegExp(`^\\| \`${code}\` \\| ${exit} \\| [^|]+ \\| [^|]+ \\|$`, 'gm')),
        code,
      ).to.have.lengthOf(1);
  });
});
