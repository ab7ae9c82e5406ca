import { expect } from 'chai';
import { html as tag, type Html } from './html.js';
import { nasty } from '../matrix/table.test-support.js';

describe('a template of HTML', () => {
  it('escapes whatever it is given, in text and in attributes', () => {
    expect(String(tag`<a title="${`"><script>'&`}">${'<b>&amp;</b>'}</a>`)).to.equal(
      '<a title="&quot;&gt;&lt;script&gt;&#39;&amp;">&lt;b&gt;&amp;amp;&lt;/b&gt;</a>',
    );
    expect(String(tag`<p>${nasty}</p>`)).not.to.match(/<script|<img|\u202e|(?!\n)\p{Cc}/u);
  });

  it('takes what other templates have made as it is, in lists too', () => {
    const items = ['a<', 'b'].map((text) => tag`<li>${text}</li>`);
    expect(String(tag`<ul>${items}${undefined}${false}${[7, 'c>']}</ul>`)).to.equal(
      '<ul><li>a&lt;</li><li>b</li>7c&gt;</ul>',
    );
  });

  it('does not take anything else for markup', () => {
    const forged = { toString: () => '<script>' } as unknown as Html;
    expect(() => tag`<p>${forged}</p>`).to.throw(TypeError);
  });

  it('refuses values where escaping would not be enough', () => {
    expect(() => tag`<a title=${'x onclick=alert(1)'}>a</a>`).to.throw(TypeError, 'double quotes');
    expect(() => tag`<a ${'onclick'}="1">a</a>`).to.throw(TypeError, 'double quotes');
    expect(() => tag`<a title='${"' onclick='"}'>a</a>`).to.throw(TypeError, 'double quotes');
    expect(() => tag`<a title="${tag`<b></b>`}">a</a>`).to.throw(TypeError, 'attribute');
  });

  it('cannot be led astray by what a value contains', () => {
    expect(String(tag`${'<a title="'}<b class="${'x'}">${'<'}</b>`)).to.equal(
      '&lt;a title=&quot;<b class="x">&lt;</b>',
    );
  });
});
