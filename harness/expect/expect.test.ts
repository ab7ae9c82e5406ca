import { expect as plain } from 'chai';
import { MacvlabError } from '../core/error.js';
import { expect as ours } from './expect.js';

describe('expect() of experiments', () => {
  it('chai’s own expect() beside it: a promise can be asserted to be one', () => {
    plain(Promise.resolve()).to.be.instanceOf(Promise);
    plain(() => plain(Promise.resolve()).to.equal(1)).to.throw(/to equal 1/);
  });

  it('an assertion about a promise: NO_EVIDENCE, along the whole chain', () => {
    for (const work of [
      () => ours(Promise.resolve()).to.be.instanceOf(Promise),
      () => ours(Promise.resolve()).to.exist.and.not.equal(undefined),
      () => ours({ promise: Promise.resolve() }).to.have.property('promise').that.is.instanceOf(Promise),
    ])
      plain(work).to.throw(MacvlabError).with.property('code', 'NO_EVIDENCE');
  });
});
