import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { skipWithoutRoot } from '../lab/sandbox/sandbox.test-support.js';
import { answerWords } from './answer.js';
import { type SwitchState, switchStates } from './switch-states.test-support.js';
import { tell, type Told } from './tell.test-support.js';
import { needs } from '../setup/needs.test-support.js';

/** Most of the time is waiting: several at once, each with a lab of its own. */
const atOnce = Math.max(2, availableParallelism());

describe('a switch port in every state (needs root)', function () {
  this.timeout(120_000);
  const hasNft = spawnSync('nft', ['--version']).status === 0;
  const states = hasNft ? switchStates : switchStates.filter(({ nft }) => !nft);
  let next = 0;
  const told = new Map<SwitchState, Promise<Told>>();

  before(function () {
    skipWithoutRoot(this);
    const work = async (): Promise<void> => {
      const state = states[next++];
      if (!state) return;
      const result = tell(state);
      told.set(state, result);
      await result.catch(() => undefined);
      await work();
    };
    for (let index = 0; index < atOnce; index++) void work();
  });
  // those that have not begun need not any more
  after(async () => {
    next = states.length;
    await Promise.allSettled(told.values());
  });

  for (const state of switchStates) {
    it(`${state.name}${state.nft ? ' (needs nft)' : ''}`, async function () {
      if (state.nft) needs(this, 'nft');
      // begun in this order, so that it has begun when those before it have ended
      const { observation, answer, left } = await (told.get(state) ?? tell(state));
      const all = JSON.stringify({ answer, observation }, null, 1);
      expect(answerWords(answer), all).to.match(state.answer);
      expect(answer.cause, all).to.equal(state.cause);
      if (state.remark) expect(answer.remarks.join('\n'), all).to.match(state.remark);
      expect(observation.frames, 'frames sent').to.be.within(5, 60 + (state.answers ?? 0));
      expect(left, 'namespaces left behind').to.deep.equal([]);
    });
  }
});
