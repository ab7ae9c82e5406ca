import { expect } from 'chai';
import { readYaml } from './yaml.js';

describe('YAML of a person', () => {
  it('is read, or its first mistake told with its place', () => {
    expect(readYaml('a: [1, {b: -2}]\n').toJS()).to.deep.equal({ a: [1, { b: -2 }] });
    expect(() => readYaml('a: 1\nb: [1, 2\nc: 3\n')).to.throw(/at line 3, column 1:\n\nc: 3\n$/);
  });

  it('is refused when it is deeper than anybody writes it', () => {
    for (const text of ['['.repeat(70_000), '{a: '.repeat(70_000), '- '.repeat(70_000), '? '.repeat(70_000)]) {
      expect(() => readYaml(text), text.slice(0, 8)).to.throw('it is nested more than 64 deep');
    }
    const wide = '- {a: [1], b: "[[["}\n- - - deep\n'.repeat(200);
    expect(readYaml(wide).toJS()).to.have.length(400);
  });
});
