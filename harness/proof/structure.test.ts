import { expect } from 'chai';
import { groupFiles, sourceFiles, textOf } from './source-files.test-support.js';

/** The largest number of source files in one folder. A folder with more files has more than one subject. */
const mostFiles = 20;
/** The largest share of all code for one layer. */
const largestShare = 1 / 5;

const linesOf = (files: readonly string[]) => files.reduce((sum, file) => sum + textOf(file).split('\n').length - 1, 0);

describe('the structure of the code', () => {
  it(`a folder: at most ${mostFiles} source files side by side`, () => {
    const full = [...groupFiles(sourceFiles())].filter(([, files]) => files.length > mostFiles);
    expect(full.map(([folder, files]) => `${folder}: ${files.length}`)).to.deep.equal([]);
  });

  it('a layer below harness: at most a fifth of the lines of code', () => {
    const all = sourceFiles();
    const total = linesOf(all);
    const layers = groupFiles(
      all.filter((file) => file.startsWith('harness/')),
      (file) => file.split('/').slice(0, 2).join('/'),
    );
    expect(layers.size).to.be.above(10);
    const large = [...layers]
      .map(([folder, files]) => ({ folder, share: linesOf(files) / total }))
      .filter(({ share }) => share > largestShare);
    expect(large.map(({ folder, share }) => `${folder}: ${(100 * share).toFixed(1)} %`)).to.deep.equal([]);
  });
});
