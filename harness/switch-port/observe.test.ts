import { expect } from 'chai';
import { sideBySide } from '../setup/side-by-side.test-support.js';
import { skipWithoutRoot } from '../machine/sandbox/sandbox.test-support.js';
import { answerWords } from './answer.js';
import { switchStates } from './switch-states.test-support.js';
import { tell } from './tell.test-support.js';

/** Each state has a lab of its own, which waits nearly all of the time. */
const atOnce = 8;

describe('a switch port in every state (needs root)', function () {
  // The last test to begin waits for all others.
  this.timeout(300_000);

  before(function () {
    skipWithoutRoot(this);
  });

  sideBySide(
    atOnce,
    switchStates.map((state) => ({
      title: `${state.name}${state.nft ? ' (needs nft)' : ''}`,
      // These tests wait for requests without a reply.
      long: state.answer.source.startsWith('^cannot tell'),
      needs: state.nft ? ['nft'] : [],
      run: async () => {
        const { observation, seconds, answer, left, learned } = await tell(state);
        const all = JSON.stringify({ answer, observation }, null, 1);
        expect(answerWords(answer), all).to.match(state.answer);
        expect(answer.cause, all).to.equal(state.cause);
        if (state.remark) expect(answer.remarks.join('\n'), all).to.match(state.remark);
        expect(observation.frames, 'frames sent').to.be.within(5, 60 + (state.repliesPerSecond ?? 0) * seconds);
        expect(learned.length, `addresses that the port has learned: ${learned.join()}`).to.be.at.most(
          state.maxMacs ?? 2,
        );
        expect(left, 'namespaces left behind').to.deep.equal([]);
      },
    })),
  );
});
