import { expect } from 'chai';
import { MacvlabError } from './error.js';
import { Scope } from './scope.js';
import { pause } from './wait.js';

/** The error of closing a scope. */
async function errorOfClosing(scope: Scope): Promise<MacvlabError> {
  const error = await scope.close().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(MacvlabError);
  return error as MacvlabError;
}

describe('a scope', () => {
  it('undoes the last first, each after the one before it has ended', async () => {
    const scope = new Scope('test');
    const done: string[] = [];
    scope.defer('namespace', () => done.push('namespace'));
    scope.defer('link', async () => {
      await pause(5);
      done.push('link');
    });
    scope.defer('address', () => done.push('address'));
    await scope.close();
    expect(done).to.deep.equal(['address', 'link', 'namespace']);
  });

  it('undoes everything whatever fails on the way, and reports each failure', async () => {
    const scope = new Scope('suite A1');
    const done: string[] = [];
    scope.defer('first', () => done.push('first'));
    scope.defer('thrower', () => {
      throw new Error('busy');
    });
    scope.defer('middle', () => done.push('middle'));
    scope.defer('rejecter', () => Promise.reject(new Error('gone')));
    const error = await errorOfClosing(scope);
    expect(done).to.deep.equal(['middle', 'first']);
    expect(error.code).to.equal('UNDO_FAILED');
    expect(error.message).to.equal('suite A1: 2 undo steps failed');
    expect(error.evidence).to.equal('rejecter: gone\nthrower: busy');
  });

  it('speaks of one undo step in the singular, and only once', async () => {
    const scope = new Scope('test');
    scope.defer('only', () => Promise.reject(new Error('gone')));
    expect((await errorOfClosing(scope)).message).to.equal('test: 1 undo step failed');
    await scope.close();
  });

  it('refuses once it is closed, and while it is being closed', async () => {
    const scope = new Scope('test');
    let refusal: unknown;
    scope.defer('late', () => {
      try {
        scope.defer('too late', () => undefined);
      } catch (error) {
        refusal = error;
      }
    });
    await scope.close();
    expect(String(refusal)).to.equal('Error: test is closed already, so that nothing would undo: too late');
    expect(() => scope.defer('much too late', () => undefined)).to.throw(/much too late/);
  });

  it('undoes once, and every close waits for the end', async () => {
    const scope = new Scope('test');
    let undone = 0;
    scope.defer('slow', async () => {
      await pause(10);
      undone++;
    });
    const first = scope.close();
    await scope.close();
    expect(undone, 'the second close returned too early').to.equal(1);
    await first;
    await scope.close();
    expect(undone).to.equal(1);
  });

  it('undoes branches that follow one another side by side, each in its own order, and what was before them later', async () => {
    const scope = new Scope('suite');
    const done: string[] = [];
    scope.defer('before', () => done.push('before'));
    let reachedByOther: (() => void) | undefined;
    const other = new Promise<void>((resolve) => (reachedByOther = resolve));
    const first = scope.branch('first');
    first.defer('waits for the second', () => other.then(() => done.push('first')));
    const second = scope.branch('second');
    second.defer('b', () => (done.push('second b'), reachedByOther?.()));
    second.defer('a', () => done.push('second a'));
    await scope.close();
    expect(done).to.deep.equal(['second a', 'second b', 'first', 'before']);
  });

  it('reports each failure in a branch by itself', async () => {
    const scope = new Scope('suite');
    const branch = scope.branch('ns1');
    branch.defer('link', () => Promise.reject(new Error('busy')));
    branch.defer('route', () => Promise.reject(new Error('gone')));
    const error = await errorOfClosing(scope);
    expect(error.message).to.equal('suite: 2 undo steps failed');
    expect(error.evidence).to.equal('route: gone\nlink: busy');
  });
});
