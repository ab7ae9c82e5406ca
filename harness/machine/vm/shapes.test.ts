import { expect } from 'chai';
import { cableEnds, type MachinePlace } from '../places.js';
import { nodeNames, topology } from '../topology.js';
import { guestCounts, shapes } from './shapes.js';

describe('how nodes are spread over guests', () => {
  it('in one guest or three', () => {
    expect(guestCounts).to.deep.equal([1, 3]);
  });

  for (const count of guestCounts) {
    const places: readonly MachinePlace[] = shapes[count];

    it(`each node once in ${count}, and a guest’s own node is one of its nodes`, () => {
      expect(places).to.have.lengthOf(count);
      expect(places.flatMap(({ nodes }) => nodes)).to.have.members([...nodeNames]);
      for (const { own, nodes } of places) if (own) expect(nodes).to.include(own);
    });

    it(`the guest with the switch comes first of ${count}: it makes the cables`, () => {
      expect(places[0]?.nodes).to.include('switch');
    });
  }

  it('one guest has no cable to another', () => {
    expect(shapes[1].map((place) => cableEnds(place, topology.cables))).to.deep.equal([[]]);
  });

  it('three guests have a cable from each end to the switch, and none for what lies in one of them', () => {
    const ends = shapes[3].map((place) => cableEnds(place, topology.cables));
    const [toNode1, toNode2] = topology.cables;
    expect(ends).to.deep.equal([
      [
        { node: 'switch', interface: 'node1', cable: toNode1 },
        { node: 'switch', interface: 'node2', cable: toNode2 },
      ],
      [{ node: 'node1', interface: 'eth1', cable: toNode1 }],
      [{ node: 'node2', interface: 'eth1', cable: toNode2 }],
    ]);
  });
});
