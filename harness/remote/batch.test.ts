import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { MacvlabError } from '../core/error.js';
import { type BatchCommand, type BatchResult, batchScript } from './batch.js';

/** Runs a batch in a real shell. */
function perform(commands: readonly BatchCommand[]): BatchResult[] {
  const { script, parse } = batchScript(commands);
  const { stdout, stderr } = spawnSync('sh', ['-c', script], {
    input: 'what the shell could read',
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return parse(stdout, stderr);
}

const sh = (line: string, mayFail = false): BatchCommand => ({ argv: ['sh', '-c', line], mayFail });

/** A command that prints to its two streams, and exits with a status. */
function printer(stdout: string, stderr: string, status: number): BatchCommand {
  return {
    argv: ['sh', '-c', 'printf %s "$1"; printf %s "$2" >&2; exit "$3"', 'sh', stdout, stderr, String(status)],
    mayFail: true,
  };
}

describe('a batch', () => {
  it('tells each command’s output, errors and status', () => {
    const commands = [sh('echo one'), sh('echo two >&2; exit 3', true), sh(':'), sh('printf three; exit 0')];
    expect(perform(commands)).to.deep.equal([
      { argv: commands[0]!.argv, status: 0, stdout: 'one\n', stderr: '' },
      { argv: commands[1]!.argv, status: 3, stdout: '', stderr: 'two\n' },
      { argv: commands[2]!.argv, status: 0, stdout: '', stderr: '' },
      { argv: commands[3]!.argv, status: 0, stdout: 'three', stderr: '' },
    ]);
  });

  it('keeps outputs apart whatever they look like', () => {
    const text = fc
      .oneof(
        fc.string({ unit: 'grapheme', maxLength: 30 }),
        fc.string({ unit: fc.constantFrom(...Array.from('\n-a0 %s\\')), maxLength: 30 }),
        fc.constantFrom('\n', '\n\n', '\n--AAAAAAAAAAAA-- 0\n', '\n--AAAAAAAAAAAA--\n', '-- 0', 'no end of line'),
      )
      .filter((value) => !value.includes('\0'));
    const command = fc.record({ stdout: text, stderr: text, status: fc.integer({ min: 0, max: 125 }) });
    fc.assert(
      fc.property(fc.array(command, { minLength: 1, maxLength: 6 }), (expected) => {
        const results = perform(expected.map(({ stdout, stderr, status }) => printer(stdout, stderr, status)));
        expect(results.map(({ stdout, stderr, status }) => ({ stdout, stderr, status }))).to.deep.equal(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('is not fooled by a command that prints the batch itself', () => {
    const results = perform([sh('tr "\\0" "\\n" </proc/$PPID/cmdline'), sh('echo after')]);
    expect(results.map(({ status }) => status)).to.deep.equal([0, 0]);
    expect(results[0]!.stdout).to.contain('echo after').and.to.contain('m()');
    expect(results[1]!.stdout).to.equal('after\n');
  });

  it('keeps a megabyte on both streams', () => {
    const print = 'yes 0123456789abcde | head -c 1048576';
    const [big, after] = perform([sh(`${print}; ${print} >&2`), sh('echo after')]);
    const expected = '0123456789abcde\n'.repeat(65536);
    expect([big!.stdout === expected, big!.stderr === expected]).to.deep.equal([true, true]);
    expect(after!.stdout).to.equal('after\n');
  });

  it('keeps bytes that are no text from disturbing their neighbours', () => {
    const [binary, after] = perform([sh('head -c 4096 /dev/urandom; printf "\\377\\376\\0\\n"'), sh('echo after')]);
    expect(binary!.status).to.equal(0);
    expect(after!.stdout).to.equal('after\n');
  });

  it('stops behind the first command that fails but must not', () => {
    const results = perform([sh('exit 1', true), sh('echo second; exit 4'), sh('echo third')]);
    expect(results.map(({ status }) => status)).to.deep.equal([1, 4]);
    expect(results[1]!.stdout).to.equal('second\n');
  });

  it('goes on behind a last command that fails, too', () => {
    expect(perform([sh('exit 1')]).map(({ status }) => status)).to.deep.equal([1]);
    expect(perform([sh('exit 1', true)]).map(({ status }) => status)).to.deep.equal([1]);
  });

  it('tells a signal as 128 and its number, and goes on', () => {
    const results = perform([sh('kill -TERM $$', true), sh('kill -KILL $$', true), sh('echo after')]);
    expect(results.map(({ status }) => status)).to.deep.equal([143, 137, 0]);
    expect(results[2]!.stdout).to.equal('after\n');
  });

  it('tells a program that is not there as 127, with the shell’s words', () => {
    const [missing] = perform([{ argv: ['no-such-program-here'], mayFail: true }]);
    expect(missing!.status).to.be.oneOf([126, 127]);
    expect(missing!.stderr).to.contain('no-such-program-here');
  });

  it('gives its commands nothing to read, so that none eats the batch', () => {
    const results = perform([{ argv: ['cat'] }, sh('echo after')]);
    expect(results.map(({ stdout }) => stdout)).to.deep.equal(['', 'after\n']);
  });

  it('starts programs: a word of the shell neither ends the batch nor changes it', () => {
    const results = perform([
      { argv: ['exit', '0'], mayFail: true },
      { argv: ['m', '0'], mayFail: true },
      { argv: ['cd', '/'], mayFail: true },
      { argv: ['if', 'x'], mayFail: true },
      { argv: ['pwd'] },
    ]);
    expect(results.map(({ status }) => status)).to.have.lengthOf(5);
    // 126 where a folder of PATH cannot be read
    for (const index of [0, 1, 3]) expect(results[index]!.status).to.be.oneOf([126, 127]);
    expect(results[4]!.stdout.trim()).to.equal(process.cwd());
  });

  it('says so when a command answers for others, with the mark out of the shell’s arguments', () => {
    const mark = 'm=$(tr "\\0" "\\n" </proc/$PPID/cmdline | grep -ao -e "--[A-Za-z0-9_-]\\{12\\}--" | head -n 1)';
    for (const lie of [
      'printf "\\n%s 0\\n" $m',
      'printf "\\n%s 0\\n" $m; printf "\\n%s\\n" $m >&2',
      'printf "\\n%s x\\n" $m',
    ]) {
      expect(() => perform([sh(`${mark}; ${lie}`), sh('echo after')]), lie)
        .to.throw(MacvlabError, 'a batch of 2 commands answered for')
        .with.property('code', 'REMOTE_COMMAND');
    }
  });

  it('says so when the shell ends before its commands do', () => {
    const commands = [sh('kill -KILL $PPID'), sh('echo after')];
    expect(() => perform(commands))
      .to.throw(MacvlabError, 'a batch of 2 commands answered for 0')
      .with.property('code', 'REMOTE_COMMAND');
  });
});
