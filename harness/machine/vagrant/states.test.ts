import { expect } from 'chai';
import { allAre, parseStates } from './states.js';

const output = `1795277791,switch,metadata,provider,libvirt
1795277791,node1,metadata,provider,libvirt
1795277792,switch,provider-name,libvirt
1795277792,switch,state,running
1795277792,switch,state-human-short,running
1795277793,node1,state,not_created
1795277793,node2,state,running
1795277793,,ui,info,Current machine states:
`;

describe('states of Vagrant machines', () => {
  it('are read from what Vagrant says for programs', () => {
    expect([...parseStates(output)]).to.have.deep.members([
      ['switch', 'running'],
      ['node1', 'not_created'],
      ['node2', 'running'],
    ]);
  });

  it('are the same for all three only when none is another, or missing', () => {
    const all = parseStates(output.replace('not_created', 'running'));
    expect(allAre(all, 'running')).to.equal(true);
    expect(allAre(parseStates(output), 'running')).to.equal(false);
    expect(allAre(new Map([['switch', 'running']]), 'running')).to.equal(false);
  });
});
