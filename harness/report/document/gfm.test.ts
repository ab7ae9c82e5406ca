import { expect } from 'chai';
import { gfm, Gfm, gfmTable } from './gfm.js';
import { nasty } from '../matrix/table.test-support.js';

describe('a template of Markdown', () => {
  const shown = (text: string): string => String(gfm`${text}`);

  it('leaves plain text as it is', () => {
    const text = 'vepa: ns1 does not reach macvlan_queue_xmit (2 of 3), at 08:15:00, größer "漢字" 50%';
    expect(shown(text)).to.equal(text);
  });

  it('escapes what Markdown and HTML would take for their own', () => {
    expect(shown('a|b `c` *d* _e_ f_g [h](i) <j> & ~k~ \\l')).to.equal(
      'a\\|b \\`c\\` \\*d\\* \\_e\\_ f_g \\[h\\](i) &lt;j&gt; &amp; \\~k\\~ \\\\l',
    );
    expect(shown('one\r\n\n# two\n- three')).to.equal('one # two - three');
    expect(shown('# one')).to.equal('<span>#</span> one');
  });

  it('keeps plain text from becoming links, names, formulas and emoji', () => {
    expect(shown('02:ab:11 :x:')).to.equal('02<span>:</span>ab:11 <span>:</span>x:');
    expect(shown('@all #12 $x$')).to.equal('<span>@</span>all <span>#</span>12 <span>$</span>x<span>$</span>');
    expect(shown('https://a.b www.c.d')).to.equal('https<span>:</span>//a.b www<span>.</span>c.d');
  });

  it('makes links whose address cannot end them', () => {
    expect(String(Gfm.link('a]b', 'https://example.org/x_(y)|z?a=1&b=2'))).to.equal(
      '[a\\]b](https://example.org/x%5f%28y%29%7Cz?a=1&b=2)',
    );
  });

  it('makes tables that no text can break out of', () => {
    const lines = String(gfmTable(['a', 'b'], [[nasty, gfm`**${nasty}**`]]))
      .trimEnd()
      .split('\n');
    expect(lines).to.have.lengthOf(3);
    for (const line of lines) expect(line.match(/(?<!\\)\|/g)).to.have.lengthOf(3);
    expect(lines[2]).not.to.match(/<(?!\/?span>)|\p{Cc}/u);
  });

  it('folds away several lines as they are', () => {
    expect(String(Gfm.folded('details of a*b <c>', Gfm.pre('a  b\n\n</pre>*c*\n')))).to.equal(
      '<details><summary>details of a*b &lt;c&gt;</summary>\n\n<pre>a  b\n\n&lt;/pre&gt;*c*</pre>\n\n</details>\n',
    );
  });
});
