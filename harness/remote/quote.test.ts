import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { quoteArgument, quoteCommand } from './quote.js';

/** The output of a real shell for a line. */
function shell(line: string): string {
  return execFileSync('sh', ['-c', line], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** The arguments that a shell line passes to a program. */
function given(args: readonly string[]): string[] {
  return shell(quoteCommand(['printf', '%s\\0', 'first', ...args]))
    .split('\0')
    .slice(1, -1);
}

const awkward = [
  '',
  ' ',
  "it's",
  "''",
  '"',
  '\\',
  '\n',
  'two\nlines\n',
  '\t',
  '$(id)',
  '`id`',
  '$HOME',
  '${x}',
  '~',
  '~root',
  '*',
  '?',
  '[a-z]*',
  '{a,b}',
  '!',
  '!!',
  '#',
  ';',
  '&',
  '|',
  '>x',
  '<x',
  '-n',
  '--',
  '-',
  'a=b',
  '%s',
  'é',
  '日本語',
  '🦊',
  '\u0001\u007f',
  '\r',
];

describe('quoting', () => {
  it('gives a program its arguments unchanged, however awkward', () => expect(given(awkward)).to.deep.equal(awkward));

  it('gives a program any arguments unchanged', () => {
    const piece = fc.oneof(
      fc.constantFrom(...awkward),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.string({ unit: fc.constantFrom(...Array.from('\'"\\$`() \n-a*~!#;&|<>=')), maxLength: 12 }),
    );
    const argument = piece.filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 12 }), (args) => {
        expect(given(args)).to.deep.equal(args);
      }),
      { numRuns: 150 },
    );
  });

  it('survives a second shell', () => {
    expect(shell(quoteCommand(['sh', '-c', quoteCommand(['printf', '%s', "a 'b' $c"])]))).to.equal("a 'b' $c");
  });

  it('leaves plain words as they are, for people who read them', () => {
    const argv = ['ip', '-j', 'address', 'add', '10.0.0.1/24', 'dev', 'eth0.5', 'label', 'a@b', '2001:db8::1/64'];
    expect(quoteCommand(argv)).to.equal(argv.join(' '));
  });

  it('refuses what no program can be given', () => {
    expect(() => quoteArgument('a\0b')).to.throw(TypeError, /NUL/);
    expect(() => quoteCommand(['a\0b'])).to.throw(TypeError, /NUL/);
    expect(() => quoteCommand(['a=\0b'])).to.throw(TypeError, /NUL/);
    expect(() => quoteCommand([])).to.throw(TypeError, /program/);
    expect(() => quoteCommand([''])).to.throw(TypeError, /program/);
  });

  it('takes the first word for a program, whatever it means to a shell', () => {
    for (const program of ['a=b', 'if', 'while', 'do', 'done', 'esac', 'for', 'case', 'in', '{', '!', '~', '#']) {
      const line = `${quoteCommand([program, 'x'])}; echo $?`;
      expect(shell(line), program).to.match(/^12[67]\n$/);
    }
  });
});
