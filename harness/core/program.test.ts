import { expect } from 'chai';
import { MacvlabError } from './error.js';
import { runProgram } from './program.js';

/** The error of a program that fails. */
async function failureOf(argv: string[]): Promise<MacvlabError> {
  const error: unknown = await runProgram(argv, { what: 'do a thing', next: 'try another' }).catch(
    (caught: unknown) => caught,
  );
  if (error instanceof MacvlabError) return error;
  throw new Error('it has succeeded');
}

describe('a program of this machine', () => {
  it('is given its arguments as they are', async () => {
    const odd = ['a b', "it's", '"$(id)"', '`id`', '-n', '', 'line\nline', '*', '🦊'];
    const printed = await runProgram(['printf', '%s\\0', ...odd], { what: 'print', next: '' });
    expect(printed.toString().split('\0').slice(0, -1)).to.deep.equal(odd);
  });

  it('that fails: its status, its command, its last words and the next step', async () => {
    const error = await failureOf(['sh', '-c', 'echo no luck >&2; exit 3']);
    expect(error).to.include({ code: 'PROGRAM_FAILED', exit: 3, next: 'try another' });
    expect(error.message).to.equal('could not do a thing: sh ended with status 3');
    expect(error.evidence).to.equal('$ sh -c echo no luck >&2; exit 3\nno luck');
  });

  it('that is not there fails too', async () => {
    const error = await failureOf(['no-such-program-of-macvlab']);
    expect(error.code).to.equal('PROGRAM_FAILED');
    expect(error.evidence).to.match(/no-such-program-of-macvlab: .*not found/);
  });
});
