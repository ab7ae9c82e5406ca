/** Tests a lab's switch port in some state, and judges it. */
import { expect } from 'chai';
import { Lab } from '../lab/lab.js';
import { sandboxDriver } from '../machine/sandbox/sandbox.js';
import { parseRange } from './address-range.js';
import type { SegmentAnswer } from './answer.js';
import { judge } from './judge.js';
import { newMacRange } from './mac-range.js';
import type { SegmentObservation } from './observation.js';
import { observeSegment } from './observe.js';
import type { SwitchState } from './switch-states.test-support.js';

const gateway = '10.0.0.254';

/** The observation and the answer for a port in some state. */
export interface Told {
  observation: SegmentObservation;
  /** How long the observation took. */
  seconds: number;
  answer: SegmentAnswer;
  /** Namespaces that remain on the machine after the test. */
  left: string[];
  /** MAC addresses of the run that the port has learned. */
  learned: string[];
}

/** Creates a lab with a switch port in a state, and tests that port. */
export async function tell(state: SwitchState): Promise<Told> {
  const lab = await Lab.open(sandboxDriver);
  try {
    await lab.configure({ node1: { addresses: ['10.0.0.1/24'] }, router: { addresses: [`${gateway}/24`] } });
    const macs = newMacRange();
    const tools = { port: 'node1', peerPort: 'node2', nicMac: lab.node1.mac, macs };
    for (const command of state.commands(tools)) {
      const argv = typeof command === 'string' ? command.split(' ') : command;
      const { status, stderr } = await lab.switch.stack.run(argv, 'change');
      if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
    }
    const [where, script] = state.meanwhile?.(tools) ?? [];
    const session = where === 'switch' ? lab.switch.stack.session : lab.machines.machine;
    if (script) await session.start(['sh', '-c', script]);
    const links = async () =>
      (await lab.node1.links()).map(({ ifname, addr_info: own = [] }) => [ifname, ...own.map(({ local }) => local)]);
    const before = await links();
    const began = performance.now();
    const { observation } = await observeSegment(
      {
        host: { stack: lab.node1.stack, nic: 'eth1' },
        ...(state.peer && { peer: { stack: lab.node2.stack, nic: 'eth1' } }),
        macs,
        ownAddresses: ['10.0.0.1'],
        forwardDelay: { usual: 4000, longest: 8000 },
        maxMacs: state.maxMacs ?? 2,
      },
      { vlan: 'untagged', range: parseRange('10.0.0.0/24'), gateway, portPasses: false },
    );
    const seconds = (performance.now() - began) / 1000;
    expect(await links(), 'the host’s links').to.deep.equal(before);
    const { stdout } = await lab.machines.machine.run(['ip', 'netns', 'list']);
    const left = stdout.split('\n').filter((line) => line.startsWith('vs-'));
    const { stdout: table } = await lab.switch.stack.run(['bridge', 'fdb', 'show', 'dev', tools.port], 'reading');
    const learned = table.split('\n').filter((line) => line.startsWith(macs));
    return { observation, seconds, answer: judge(observation, { portPasses: false }), left, learned };
  } finally {
    await lab.close();
  }
}
