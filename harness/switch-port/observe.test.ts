import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { Lab } from '../lab/lab.js';
import { sandboxDriver } from '../lab/sandbox/sandbox.js';
import { skipWithoutRoot } from '../lab/sandbox/sandbox.test-support.js';
import { parseRange } from './address-range.js';
import { answerWords, type SegmentAnswer } from './answer.js';
import { judge } from './judge.js';
import { newMacRange } from './mac-range.js';
import type { SegmentObservation } from './observation.js';
import { observeSegment } from './observe.js';
import { type SwitchState, switchStates } from './switch-states.test-support.js';

const gateway = '10.0.0.254';

/** What was seen and told of a port in some state. */
interface Told {
  observation: SegmentObservation;
  answer: SegmentAnswer;
  /** Links of the host that it left behind. */
  left: string[];
}

async function tell(state: SwitchState): Promise<Told> {
  const lab = await Lab.open(sandboxDriver);
  try {
    await lab.configure({ node1: { addresses: ['10.0.0.1/24'] }, router: { addresses: [`${gateway}/24`] } });
    const macs = newMacRange();
    for (const command of state.commands({ lab, macs })) {
      const argv = typeof command === 'string' ? command.split(' ') : command;
      const { status, stderr } = await lab.switch.stack.run(argv, 'change');
      if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
    }
    const [where, script] = state.meanwhile?.({ lab, macs }) ?? [];
    const session = where === 'switch' ? lab.switch.stack.session : lab.machines.machine;
    if (script) await session.start(['sh', '-c', script]);
    const links = async () =>
      (await lab.node1.links()).map(({ ifname, addr_info: own = [] }) => [ifname, ...own.map(({ local }) => local)]);
    const before = await links();
    const { observation } = await observeSegment(
      {
        host: { stack: lab.node1.stack, nic: 'eth1' },
        ...(state.peer && { peer: { stack: lab.node2.stack, nic: 'eth1' } }),
        macs,
        ownAddresses: ['10.0.0.1'],
        forwardDelay: { usual: 4000, longest: 5000 },
      },
      { vlan: 'untagged', range: parseRange('10.0.0.0/24'), gateway, portPasses: false },
    );
    expect(await links(), 'the host’s links').to.deep.equal(before);
    const { stdout } = await lab.machines.machine.run(['ip', 'netns', 'list']);
    const left = stdout.split('\n').filter((line) => line.startsWith('vs-'));
    return { observation, answer: judge(observation, { portPasses: false }), left };
  } finally {
    await lab.close();
  }
}

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
      if (state.nft && !hasNft) this.skip();
      // begun in this order, so that it has begun when those before it have ended
      const { observation, answer, left } = await (told.get(state) ?? tell(state));
      const all = JSON.stringify({ answer, observation }, null, 1);
      expect(answerWords(answer), all).to.match(state.answer);
      expect(answer.cause, all).to.equal(state.cause);
      if (state.remark) expect(answer.remarks.join('\n'), all).to.match(state.remark);
      expect(observation.frames, 'frames sent').to.be.within(5, 60);
      expect(left, 'namespaces left behind').to.deep.equal([]);
    });
  }
});
