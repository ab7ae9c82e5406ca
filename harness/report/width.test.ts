import { expect } from 'chai';
import { columns, columnsOf, cut, wrap } from './width.js';

describe('text by its width', () => {
  it('cuts to a width, never wider', () => {
    expect(cut('123456', 6)).to.equal('123456');
    expect(cut('1234567', 6)).to.equal('12345…');
    expect(cut('漢字漢字', 6)).to.equal('漢字…');
    expect(cut('漢字漢', 6)).to.equal('漢字漢');
  });

  it('wraps at spaces, and breaks what is longer than a line', () => {
    expect(wrap('one two\nthree', 7)).to.deep.equal(['one two', 'three']);
    expect(wrap('abcdefghij kl', 4)).to.deep.equal(['abcd', 'efgh', 'ij', 'kl']);
    expect(wrap('漢字漢字', 5)).to.deep.equal(['漢字', '漢字']);
    expect(wrap('', 5)).to.deep.equal(['']);
    expect(columnsOf('a漢')).to.equal(3);
  });

  it('a letter outside ASCII: one column; an emoji of several characters: two', () => {
    expect(columnsOf('größer – “x”')).to.equal(12);
    expect(columnsOf('👩‍👩‍👧')).to.equal(2);
    expect(columnsOf('\u001b[31mred\u001b[39m')).to.equal(3);
  });

  it('rows of texts, some wide or in colour: aligned columns', () => {
    expect(
      columns([
        ['漢', 'a'],
        ['\u001b[31mb\u001b[39m', 'c'],
        ['ccc', ''],
      ]),
    ).to.deep.equal(['漢   a', '\u001b[31mb\u001b[39m    c', 'ccc']);
  });
});
