import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Status, statusWords, worstOf } from './status.js';

const table: Record<Status, string> = {
  passed: 'ok | pass | PASS | pass | pass | pass',
  failed: 'not ok | fail | FAIL | fail | fail | fail',
  knownFailure: 'ok XFAIL | xfail | FAIL | pass | pass | pass (fail)',
  unexpectedPass: 'not ok XPASS | xpass | PASS | fail | fail | fail',
  skipped: 'ok SKIP | skip | SKIP | skip | skip | skip',
  error: 'not ok ERROR | error | ERROR | warn | unknown | error',
  missing: 'Bail out! | error | MISS | warn | unknown | error',
};

function rowOf(status: Status): string {
  const { ktap, total, kcidb, nipa, lava, tmt } = statusWords[status];
  const line = [ktap.line, ktap.directive].filter(Boolean).join(' ');
  return [
    line,
    total,
    kcidb,
    nipa,
    lava,
    [tmt.result, tmt.original && `(${tmt.original})`].filter(Boolean).join(' '),
  ].join(' | ');
}

describe('the words of a status in each format', () => {
  for (const [status, row] of Object.entries(table)) {
    it(`${status}: ${row}`, () => expect(rowOf(status as Status)).to.equal(row));
  }

  it('docs/interop.md: the same table', () => {
    const page = readFileSync(new URL('../../../../docs/interop.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| [^|]* \| (`(?:ok|not ok|Bail out!)`.*) \|$/gm)].map(([, row = '']) => row);
    expect(rows.map((row) => row.replaceAll('`', ''))).to.deep.equal(Object.values(table));
  });

  it('no format: the same word for a failure and for an error', () => {
    const cells = (status: Status) => rowOf(status).split(' | ');
    for (const error of ['error', 'missing'] as const) {
      for (const [position, word] of cells(error).entries()) expect(word).not.to.equal(cells('failed')[position]);
    }
  });

  it('several tests together: the worst status, and a skip only if all were skipped', () => {
    expect(worstOf(['passed', 'error', 'failed'])).to.equal('failed');
    expect(worstOf(['passed', 'error', 'skipped'])).to.equal('error');
    expect(worstOf(['skipped', 'passed'])).to.equal('passed');
    expect(worstOf(['skipped', 'skipped'])).to.equal('skipped');
    expect(worstOf([])).to.equal('missing');
  });
});
