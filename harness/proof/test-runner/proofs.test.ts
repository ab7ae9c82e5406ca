import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { proofOutcome } from './proofs.js';

describe('the outcome of a proof', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-proofs-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function outcomeOf(passed: number, failed: number) {
    const file = join(folder, 'counts.json');
    writeFileSync(file, JSON.stringify({ passed, failed, skipped: 0 }));
    return proofOutcome('soak', file);
  }

  it('is what it counted, and where to look when something failed', () => {
    expect(outcomeOf(4, 0)).to.deep.equal({ counts: { passed: 4, failed: 0, skipped: 0 }, problems: [] });
    expect(outcomeOf(3, 1)).to.deep.equal({
      counts: { passed: 3, failed: 1, skipped: 0 },
      problems: ['soak: see reports/soak'],
    });
  });

  it('is red when nothing was proven, or its end never came', () => {
    expect(outcomeOf(0, 0).counts.failed).to.equal(1);
    expect(proofOutcome('soak', join(folder, 'none.json')).counts.failed).to.equal(1);
  });
});
