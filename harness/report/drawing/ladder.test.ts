import { expect } from 'chai';
import type { TestFrame, TestFrames, TestPing } from '../../run/evidence/test-frames.js';
import { ladderOf, ladderSvg } from './ladder.js';

const points = [
  ...['node1/ns1/eth0', 'node1/ns2/eth0', 'node1/eth1 in', 'node1/eth1 out', 'switch/node1 in', 'switch/node1 out'],
  ...['switch/node2 in', 'switch/node2 out', 'node2/eth1 in', 'node2/eth1 out', 'router/eth1'],
];

/** A frame that was seen at points, one millisecond apart. */
function frame(id: number, places: readonly string[], more: Partial<TestFrame> = {}): TestFrame {
  const seen = places.map((place, index): [number, number] => [points.indexOf(place), id + index / 100]);
  return { id, text: `frame ${id} (02:00 > ff:ff)`, kind: 'ping', seen, ...more };
}

function frames(all: TestFrame[], pings: TestPing[] = []): TestFrames {
  return { schema: 1, points, pings, frames: all, omitted: 0 };
}

const lost: TestPing = {
  ...{ from: 'ns1', to: 'ns2', target: '10.0.0.2', outcome: 'lost', reason: 'lost' },
  lost: { step: 'ARP request', last: 'switch/node1 in', missing: 'switch/node1 out' },
};

describe('a ladder', () => {
  it('its columns are the interfaces in the order of the path, not in that of the sightings', () => {
    const all = [
      frame(1, [
        'router/eth1',
        'node2/eth1 in',
        'switch/node2 out',
        'switch/node1 in',
        'node1/eth1 out',
        'node1/ns1/eth0',
      ]),
    ];
    expect(ladderOf(frames(all))?.columns).to.deep.equal([
      'node1/ns1/eth0',
      'node1/eth1',
      'switch/node1',
      'switch/node2',
      'node2/eth1',
      'router/eth1',
    ]);
  });

  it('a frame that goes two ways: one arrow from where it was sent', () => {
    const [row] = ladderOf(frames([frame(1, ['node1/eth1 out', 'node1/ns1/eth0', 'switch/node1 in'])]))?.rows ?? [];
    expect(row?.legs).to.deep.equal([{ from: 1, seen: [1, 0, 2].map((column) => ({ column, times: 1 })) }]);
  });

  it('a frame that the switch reflects: a way out, and a way back', () => {
    const way = [
      'node1/ns1/eth0',
      'node1/eth1 out',
      'switch/node1 in',
      'switch/node2 out',
      'switch/node1 out',
      'node1/eth1 in',
      'node1/ns2/eth0',
    ];
    const { columns = [], rows = [] } = ladderOf(frames([frame(1, way)])) ?? {};
    expect(columns).to.deep.equal(['node1/ns1/eth0', 'node1/ns2/eth0', 'node1/eth1', 'switch/node1', 'switch/node2']);
    expect(rows[0]?.legs.map(({ from, seen }) => [from, seen.map(({ column }) => column)])).to.deep.equal([
      [0, [0, 2, 3, 4]],
      [3, [3, 2, 1]],
    ]);
  });

  it('copies at one point are counted', () => {
    const [row] = ladderOf(frames([frame(1, ['node1/eth1 out', 'switch/node1 in', 'switch/node1 in'])]))?.rows ?? [];
    expect(row?.legs).to.deep.equal([
      {
        from: 0,
        seen: [
          { column: 0, times: 1 },
          { column: 1, times: 2 },
        ],
      },
    ]);
    expect(
      ladderSvg(ladderOf(frames([frame(1, ['switch/node1 in', 'switch/node1 in'])]))!, 'copies').toString(),
    ).to.include('×2');
  });

  it('a lost frame: the place where it is missing has a column, a cross and words', () => {
    const pings = [lost];
    const inSwitch = ladderOf(frames([frame(1, ['node1/ns1/eth0', 'switch/node1 in'], { lostOf: 0 })], pings));
    expect(inSwitch?.rows[0]?.lost).to.deep.equal({ last: 1, missing: 1, words: 'not seen at switch/node1 out' });
    pings[0] = { ...lost, lost: { step: 'ARP request', last: 'switch/node1 in', missing: 'node2/eth1 in' } };
    const behind = ladderOf(frames([frame(1, ['node1/ns1/eth0', 'switch/node1 in'], { lostOf: 0 })], pings));
    expect(behind?.columns).to.deep.equal(['node1/ns1/eth0', 'switch/node1', 'node2/eth1']);
    expect(behind?.rows[0]?.lost).to.deep.include({ last: 1, missing: 2 });
    expect(ladderSvg(behind!, 'a loss').toString()).to.match(/class="drop"[^]*not seen at node2\/eth1 in/);
  });

  it('witnesses are marked, other frames are left out, and there is no ladder without pings', () => {
    const all = [frame(1, ['node1/eth1 out'], { kind: 'other' }), frame(2, ['node1/eth1 out'], { kind: 'witness' })];
    expect(ladderOf(frames(all))?.rows.map(({ id, isWitness }) => [id, isWitness])).to.deep.equal([[2, true]]);
    expect(ladderOf(frames(all.slice(0, 1)))).to.equal(undefined);
  });

  it('of very many frames, the first are drawn', () => {
    const all = Array.from({ length: 100 }, (_, index) => frame(index + 1, ['node1/eth1 out', 'switch/node1 in']));
    const layout = ladderOf(frames(all));
    expect([layout?.rows.length, layout?.omitted]).to.deep.equal([60, 40]);
  });
});
