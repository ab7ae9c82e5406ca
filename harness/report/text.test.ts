import { expect } from 'chai';
import { duration, oneLine, visible, visibleInColour } from './text.js';

describe('text for reports', () => {
  it('shows control characters and lone surrogates instead of passing them on', () => {
    expect(visible('a\u0000b\u0007c\u007fd\u009be\ud800f\uffff')).to.equal('a␀b␇c␡d\ufffde\ufffdf\ufffd');
    expect(visible('tab\tline\r\nline\rend')).to.equal('tab\tline\nline␍end');
  });

  it('leaves all other characters as they are, also those beyond 16 bits', () => {
    expect(visible('größer 漢字 😀')).to.equal('größer 漢字 😀');
  });

  it('takes escape sequences away whole', () => {
    expect(visible('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007text\u001b]8;;x\u001b\\')).to.equal('red text');
    expect(visible('half \u001b')).to.equal('half ␛');
  });

  it('lets no text turn the direction of writing', () => {
    expect(visible('a\u202eb\u2066c\u2069')).to.equal('a\ufffdb\ufffdc\ufffd');
    const controls = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter((character) =>
      /\p{Bidi_Control}/u.test(character),
    );
    expect(controls).to.have.length(12);
    for (const control of controls) expect(visible(control)).to.equal('\ufffd');
  });

  it('keeps colours where they are asked for, and nothing else that a terminal obeys', () => {
    expect(visibleInColour('\u001b[1;31mred\u001b[0m\u001b[2J\u001b[?25l\u001b]0;title\u0007\u009b1m\u202e')).to.equal(
      '\u001b[1;31mred\u001b[0m\ufffd1m\ufffd',
    );
    expect(visibleInColour('\u001b\u001b[0m[2J')).to.equal('␛\u001b[0m[2J');
  });

  it('makes one line of many', () => {
    expect(oneLine(' expected\n\n\ta reply ')).to.equal('expected a reply');
  });

  it('tells durations', () => {
    expect([0.4, 34.4, 999.4, 999.6, 1234, 59_949, 59_950, 125_000].map(duration)).to.deep.equal([
      ...['0 ms', '34 ms', '999 ms', '1.0 s', '1.2 s', '59.9 s'],
      ...['1 min 0 s', '2 min 5 s'],
    ]);
  });
});
