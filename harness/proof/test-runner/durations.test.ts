import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { keepDurations, readDurations } from './durations.js';

describe('durations of earlier tests', () => {
  const before = process.env.MACVLAB_CACHE;
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-durations-'));
    process.env.MACVLAB_CACHE = join(folder, 'cache');
  });
  afterEach(() => {
    if (before === undefined) delete process.env.MACVLAB_CACHE;
    else process.env.MACVLAB_CACHE = before;
    rmSync(folder, { recursive: true });
  });

  it('a run: what it took is kept beside what others took', () => {
    expect(readDurations()).to.deep.equal({});
    keepDurations({ a: 5, b: 7 });
    keepDurations({ b: 9 });
    expect(readDurations()).to.deep.equal({ a: 5, b: 9 });
  });

  it('a file that is damaged, or a cache that cannot be written: no durations, and no error', () => {
    keepDurations({ a: 5 });
    writeFileSync(join(folder, 'cache', 'test-durations.json'), '{"a":"x"}');
    expect(readDurations()).to.deep.equal({});
    process.env.MACVLAB_CACHE = '/proc/none';
    keepDurations({ a: 5 });
    expect(readDurations()).to.deep.equal({});
  });
});
