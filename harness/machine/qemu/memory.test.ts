import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { guestMemory, refuseWithoutMemory } from './memory.js';

describe('memory for guests', () => {
  const terabyte = 1024 * 1024;

  function refusal(guests: readonly number[]): MacvlabError {
    try {
      refuseWithoutMemory(guests);
    } catch (error) {
      if (error instanceof MacvlabError) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  }

  it('is there for a small guest', () => {
    refuseWithoutMemory([1]);
    refuseWithoutMemory([]);
  });

  it('is refused with what is needed, what there is, and what to do', () => {
    const { code, message, next } = refusal([64 * terabyte]);
    expect(code).to.equal('GUEST_START');
    expect(message).to.match(/^a guest needs 67109014 MiB of memory, and [1-9]\d* MiB are free$/);
    expect(next).to.include('--jobs 1');
  });

  it('is summed up over all guests, with what QEMU takes for each', () => {
    const { message } = refusal([64 * terabyte, guestMemory.node, guestMemory.node]);
    expect(message).to.match(/^3 guests need 67109826 MiB of memory/);
  });
});
