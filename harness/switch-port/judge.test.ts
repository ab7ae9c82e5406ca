import { expect } from 'chai';
import { answerWords, exitOf, portAnswer, type SegmentAnswer } from './answer.js';
import { judge } from './judge.js';
import { type ClassObservation, type Control, frameClasses, type SegmentObservation } from './observation.js';

function control(from: Control['from'], answered: Control['answered'] = 'echo', more: Partial<Control> = {}): Control {
  return { from, to: 'gateway', address: '10.0.0.1', answered, returned: 0, way: 'usual', when: 'before', ...more };
}

const answeredAll = [control('NIC', 'ARP'), control('child 1'), control('child 2')];

/** Every class, if this many of three frames return. */
function classes(returned: number, more: Partial<ClassObservation> = {}): ClassObservation[] {
  return frameClasses.map((name) => {
    const counts = { sent: 3, returned, copies: returned, delivered: returned, changes: [] };
    return { class: name, ...counts, ...more };
  });
}

function observed(more: Partial<SegmentObservation> = {}): SegmentObservation {
  return {
    ...{ vlan: 'untagged', addresses: { child1: '10.0.0.8', child2: '10.0.0.9' } },
    macs: {
      nic: '00:16:3e:00:00:01',
      child1: '02:6d:00:00:00:01',
      child2: '02:6d:00:00:00:02',
      unknown: '02:6d:00:00:00:03',
    },
    ...{
      controls: answeredAll,
      classes: classes(0),
      bpdus: 0,
      waited: 0,
      carrier: true,
      frames: 40,
      received: 0,
      duration: 6000,
    },
    ...more,
  };
}

const alone = { portPasses: false };
const told = (more: Partial<SegmentObservation>, beside = alone) => judge(observed(more), beside);
const words = (more: Partial<SegmentObservation>) => answerWords(told(more));

describe('judge', () => {
  it('says what is plain', () => {
    expect(words({})).to.equal('does not reflect');
    expect(words({ classes: classes(3) })).to.equal('reflects');
  });

  it('says nothing of what a capture may have lost, or behind a port that has gone down', () => {
    const lost = told({ lost: 'tcpdump lost 3 frames', classes: classes(0) });
    expect([lost.kind, lost.cause]).to.deep.equal(['cannot tell', 'frames lost by a capture']);
    const down = told({ carrier: false, lost: 'something' });
    expect([down.kind, down.cause]).to.deep.equal(['cannot tell', 'port down']);
  });

  it('takes no silence for an answer when there was nobody to ask', () => {
    expect(told({ controls: [] })).to.include({ kind: 'cannot tell', cause: 'nobody to ask' });
    expect(words({ controls: [], classes: classes(3) })).to.equal('reflects');
  });

  it('takes no silence for an answer when the port has passed nothing since', () => {
    const after = [...answeredAll, control('child 1', 'no', { when: 'after' })];
    expect(told({ controls: after })).to.include({ kind: 'cannot tell', cause: 'storm control' });
    expect(words({ controls: after, classes: classes(3) }), 'what came back came back').to.equal('reflects');
  });

  it('tells more copies than frames from one each', () => {
    expect(told({ classes: classes(3, { copies: 4 }) }).cause).to.equal('a loop or a mirror');
    expect(words({ classes: classes(3, { copies: 9 }) })).to.contain('up to 3 copies');
    expect(told({ received: 5000, lost: 'tcpdump lost 9 frames' }).what).to.contain(
      '5000 frames came back for the few that were sent: a loop',
    );
    const mirrored = [...answeredAll, control('child 1', 'echo', { returned: 1, when: 'after' })];
    expect(told({ classes: classes(3), controls: mirrored }).cause).to.equal('a loop or a mirror');
  });

  it('tells some from all, class by class', () => {
    const [learned, unknown, ...others] = classes(3);
    const none = { returned: 0, copies: 0, delivered: 0 };
    expect(words({ classes: [{ ...learned!, ...none }, unknown!, ...others] })).to.match(
      /^reflects only unicast to an unknown/,
    );
    expect(words({ classes: [{ ...learned!, returned: 2, copies: 2 }, unknown!, ...others] })).to.match(
      /^reflects only some frames \(2 of 3 unicast to a learned address\)/,
    );
  });

  it('does not count what was not tried', () => {
    const [ns] = classes(0, { sent: 0, skipped: 'the host has no IPv6' }).slice(-1);
    const tried = told({ classes: [...classes(3).slice(0, -1), ns!] });
    expect(answerWords(tried)).to.equal('reflects');
    expect(tried.remarks).to.deep.equal(['IPv6 neighbour solicitation was not tried: the host has no IPv6']);
  });

  it('calls frames that come back changed so, but not those with another priority', () => {
    expect(words({ classes: classes(3, { changes: ['tag: VLAN 10 sent, none returned'] }) })).to.equal(
      'reflects only changed frames (tag: VLAN 10 sent, none returned)',
    );
    const marked = told({ classes: classes(3, { changes: ['priority: 0 sent, 5 returned'] }) });
    expect(answerWords(marked)).to.equal('reflects');
    expect(marked.remarks[0]).to.contain('priority: 0 sent, 5 returned');
  });

  it('tells whose frames pass: both children’s, one child’s, the NIC’s alone, nobody’s', () => {
    const [nic, one, two] = ['NIC', 'child 1', 'child 2'] as const;
    const silent = (...who: Control['from'][]) =>
      [nic, one, two].map((from) => control(from, who.includes(from) ? 'no' : 'ARP'));
    expect(told({ controls: silent(two) })).to.include({ kind: 'cannot tell', cause: 'MAC limit' });
    expect(told({ controls: silent(one) }).what).to.contain('no frames of child 1');
    expect(told({ controls: silent(one, two) }).cause).to.equal('foreign MACs dropped');
    expect(told({ controls: silent(nic, one, two) }).cause).to.equal('nobody answers');
    expect(told({ controls: silent(nic, one, two), bpdus: 3 }).cause).to.equal('spanning tree');
    expect(told({ controls: silent(nic, one, two), vlan: 20 }).cause).to.equal('VLAN not allowed');
    expect(told({ controls: silent(nic, one, two), vlan: 20, bpdus: 3 }).cause).to.equal('spanning tree');
    expect(told({ controls: silent(nic, one, two), vlan: 20, bpdus: 3 }, { portPasses: true }).cause).to.equal(
      'VLAN not allowed',
    );
  });

  it('tells why no child is answered, by the ways in which one is', () => {
    const none = [control('NIC', 'ARP'), control('child 1', 'no'), control('child 2', 'no')];
    const also = (...more: Control[]) => told({ controls: [...none, ...more] }).cause;
    expect(also(control('child 1', 'echo', { way: 'promiscuous' }))).to.equal('NIC filter');
    expect(also(control('child 1', 'echo', { way: 'direct' }))).to.equal('storm control');
    expect(also(control('child 1', 'no', { withheld: 1 }))).to.equal('host filter');
    expect(also(control('child 1', 'no', { way: 'direct' }))).to.equal('foreign MACs dropped');
  });

  it('calls a port isolated when both hosts reach the gateway, and none of the other’s frames', () => {
    const toPeer = { to: 'peer', address: '10.0.0.7' } as const;
    const apart = [...answeredAll, control('child 1', 'no', { ...toPeer, atPeer: 0 })];
    const isolated = told({ controls: [...apart, control('peer')], classes: classes(0, { atPeer: 0 }) });
    expect([isolated.kind, isolated.cause]).to.deep.equal(['does not reflect', 'port isolation']);
    const elsewhere = told({ controls: [...apart, control('peer', 'no')], classes: classes(0, { atPeer: 0 }) });
    expect(elsewhere.cause).to.equal(undefined);
    expect(elsewhere.remarks[0]).to.contain('the peer 10.0.0.7 answers nobody');
    const seen = told({ controls: [...apart, control('peer')], classes: classes(0, { atPeer: 3 }) });
    expect(seen.cause, 'its frames arrive at the peer').to.equal(undefined);
  });

  it('has a sentence to act on, and evidence, for everything', () => {
    const all = [told({}), told({ classes: classes(3) }), told({ controls: [] }), told({ carrier: false })];
    for (const { advice, evidence } of all) {
      expect(advice).to.match(/^[A-Z].{30,}\.$/);
      expect(evidence).to.include('40 frames sent');
    }
  });
});

describe('portAnswer', () => {
  const segment = (vlan: number, kind: SegmentAnswer['kind'], more: Partial<SegmentAnswer> = {}): SegmentAnswer => ({
    ...{ vlan, kind, advice: '', remarks: [], evidence: [] },
    ...more,
  });
  const pruned = segment(20, 'cannot tell', { what: 'VLAN 20 does not pass', cause: 'VLAN not allowed' });
  const lost = segment(30, 'cannot tell', { what: 'a capture lost frames', cause: 'frames lost by a capture' });
  const whole = (...segments: SegmentAnswer[]) => {
    const answer = portAnswer(segments);
    return [answerWords(answer), exitOf(answer)];
  };

  it('is that of all VLANs where they are of one mind', () => {
    expect(whole(segment(10, 'reflects'), segment(20, 'reflects'))).to.deep.equal(['reflects', 0]);
    expect(whole(segment(10, 'does not reflect'), segment(20, 'does not reflect'))).to.deep.equal([
      'does not reflect',
      1,
    ]);
    expect(whole(pruned)).to.deep.equal(['cannot tell: VLAN 20 does not pass', 3]);
  });

  it('names the VLANs where they are not', () => {
    expect(whole(segment(10, 'reflects'), segment(20, 'does not reflect'))).to.deep.equal([
      'reflects only in VLAN 10 (VLAN 20: does not reflect)',
      1,
    ]);
    expect(whole(segment(10, 'reflects'), pruned)[1]).to.equal(1);
  });

  it('is none as long as one is not known, unless another is known not to reflect', () => {
    expect(whole(segment(10, 'reflects'), lost)).to.deep.equal([
      'cannot tell: VLAN 30: cannot tell: a capture lost frames',
      3,
    ]);
    expect(whole(segment(10, 'does not reflect'), lost)[1]).to.equal(1);
    expect(whole(segment(10, 'reflects only', { what: 'broadcast' }), lost)[1]).to.equal(1);
  });
});
